# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The line about a missing package, and the node programs that print it."""

import subprocess
import sys
from pathlib import Path

import pytest

from emotion_perception.core.missing_packages import import_problem


def missing(name):
    return ModuleNotFoundError(f"No module named '{name}'", name=name)


@pytest.fixture
def apt(tmp_path):
    """Environment variables where ROS is from apt and colcon has installed this package."""
    lock = tmp_path / "install/share/emotion_perception/requirements/ros-apt.txt"
    lock.parent.mkdir(parents=True)
    lock.touch()
    return {"AMENT_PREFIX_PATH": f"{tmp_path}/install:/opt/ros/jazzy"}


@pytest.mark.parametrize(
    ("module", "extra", "command"),
    [
        ("torch", "training", "pip install emotion_perception[training]"),
        ("rosbags.rosbag2", "bags", "pip install emotion_perception[bags]"),
        ("cv2", "", "pip install emotion_perception"),
    ],
)
def test_without_ros_an_extra_has_the_package(module, extra, command):
    line = import_problem("label-bag", missing(module), extra, {})
    assert line == f"label-bag needs the Python package {module.partition('.')[0]}: {command}"


@pytest.mark.parametrize(("extra", "level"), [("", "runtime"), ("bags", "bags"), ("training", "test")])
def test_with_the_wheels_the_set_up_installs_it(extra, level):
    line = import_problem("x", missing("jinja2"), extra, {"EMOTION_PERCEPTION_ROS": "wheels"})
    assert line == f"x needs the Python package jinja2: scripts/setup.sh {level}, in the folder of the source"


def test_the_extra_of_the_page_has_a_lock_and_a_command_of_pip(apt, tmp_path):
    line = import_problem("web_viewer_node", missing("nicegui"), "web", {"EMOTION_PERCEPTION_ROS": "wheels"})
    assert line.endswith(": scripts/setup.sh web, in the folder of the source, or: pip install 'nicegui>=3,<4'")
    lock = tmp_path / "install/share/emotion_perception/requirements/ros-apt-web.txt"
    lock.touch()
    line = import_problem("web_viewer_node", missing("nicegui"), "web", apt)
    assert line.endswith(f" -m pip install --require-hashes --no-deps -r {lock}")


@pytest.mark.parametrize(("module", "package"), [("cv2", "python3-opencv"), ("sklearn.metrics", "python3-sklearn")])
def test_with_a_ros_from_apt_apt_has_it(apt, module, package):
    assert import_problem("x", missing(module), "bags", apt).endswith(f": sudo apt install {package}")


def test_with_a_ros_from_apt_the_installed_lock_has_what_apt_lacks(apt, tmp_path):
    lock = tmp_path / "install/share/emotion_perception/requirements/ros-apt.txt"
    command = f"{sys.executable} -m pip install --require-hashes --no-deps -r {lock}"
    line = import_problem("bag_player", missing("rosbags"), "", apt)
    assert line == f"bag_player needs the Python package rosbags: {command}"


def test_a_package_that_does_not_load_is_named_with_the_reason():
    error = ImportError("libGL.so.1: cannot open shared object file: No such file\nmore", name="cv2")
    assert import_problem("camera_node", error, environ={}) == (
        "camera_node: the Python package cv2 does not load: libGL.so.1: cannot open shared object file: No such file"
    )


@pytest.mark.guarantee(
    "A missing Python package is one line with the command that installs it, and exit code 78.",
    section="Every node",
)
@pytest.mark.parametrize(
    ("program", "module"),
    [("bag_player", "rosbags"), ("camera_node", "cv2"), ("bag_recorder", "rosbags"), ("web_viewer_node", "nicegui")],
)
def test_a_node_program_names_what_is_missing(program, module):
    pytest.importorskip("rclpy", reason="node programs need ROS")
    hidden = f"import sys, runpy; sys.modules[{module!r}] = None; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    path = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", hidden, f"{path}/scripts/{program}"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 78, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"{program} needs the Python package {module}: ")
