# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builds packages of messages that are not on PyPI, from their published fields, in a colcon workspace of the test."""

import os
import shutil
import subprocess
import sys

import pytest

_COLCON = ("colcon", "build", "--merge-install", "--executor", "sequential")
_CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project({package})
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
{find}
file(GLOB messages RELATIVE ${{CMAKE_CURRENT_SOURCE_DIR}} msg/*.msg)
rosidl_generate_interfaces({package} ${{messages}} DEPENDENCIES {dependencies})
ament_package()
"""
_PACKAGE = """\
<package format="3">
  <name>{package}</name>
  <version>1.0.0</version>
  <description>Messages with the fields of the package of that name.</description>
  <maintainer email="maintainers@emotion-perception.example.org">emotion_perception maintainers</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  {depends}
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""


def build(workspace, packages):
    """Builds packages of messages; skips the test where there is no colcon.

    Args:
        workspace: an empty folder.
        packages: name -> (packages that its messages use, name of a message -> its text).

    Returns:
        The environment variables of a shell in which they are installed, as far as they differ from the present ones.
    """
    if shutil.which("colcon") is None:
        pytest.skip(f"no colcon here to build {', '.join(packages)} with")
    for package, (dependencies, definitions) in packages.items():
        messages = workspace / "src" / package / "msg"
        messages.mkdir(parents=True)
        for name, text in definitions.items():
            (messages / f"{name}.msg").write_text(text + "\n")
        find = "\n".join(f"find_package({name} REQUIRED)" for name in dependencies)
        cmake = _CMAKE.format(package=package, find=find, dependencies=" ".join(dependencies))
        (messages.parent / "CMakeLists.txt").write_text(cmake)
        depends = "\n  ".join(f"<depend>{name}</depend>" for name in dependencies)
        (messages.parent / "package.xml").write_text(_PACKAGE.format(package=package, depends=depends))
    paths = [f"src/{package}" for package in packages]
    made = subprocess.run(
        [*_COLCON, "--paths", *paths, "--cmake-args", f"-DPython3_EXECUTABLE={sys.executable}", "-DBUILD_TESTING=OFF"],
        cwd=workspace,
        capture_output=True,
        text=True,
        timeout=480,
        env={**os.environ, "MAKEFLAGS": "-j2"},
    )
    assert made.returncode == 0, made.stdout + made.stderr
    prefix = workspace / "install"
    (site,) = prefix.glob("lib/python3*/site-packages")
    added = {"AMENT_PREFIX_PATH": prefix, "LD_LIBRARY_PATH": prefix / "lib", "PYTHONPATH": site}
    return {name: os.pathsep.join(filter(None, [str(path), os.environ.get(name)])) for name, path in added.items()}
