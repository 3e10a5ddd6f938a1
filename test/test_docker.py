# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""docker/ and .devcontainer/ fit the package; no image is built here."""

import fnmatch
import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
BY_PIP = {"mcap-ros2-support", "python3-onnxruntime-pip", "python3-rosbags-pip"}  # requirements/ros-apt.txt
IN_ROS_CORE = {  # the image that the nodes run in
    "ament_index_python",
    "geometry_msgs",
    "launch",
    "rcl_interfaces",
    "rclpy",
    "rosidl_default_runtime",
    "std_msgs",
}


@pytest.fixture
def stages():
    """Instructions of the Dockerfile by the name of their stage: (instruction, text), lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found, name = {"": []}, ""
    for line in filter(None, (line.strip() for line in text.splitlines())):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            name = rest.partition(" AS ")[2]
            found[name] = []
        found[name].append((instruction, rest))
    return found


def words_of(stage, instruction):
    return [word.strip('"') for given, text in stage if given == instruction for word in text.split()]


def test_the_image_installs_what_package_xml_needs_from_apt(stages):
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    keys = {entry.text for kind in ("depend", "exec_depend") for entry in package.iter(kind)}
    from_apt = {
        key if key.startswith("python3-") else f"ros-${{ROS_DISTRO}}-{key.replace('_', '-')}"
        for key in keys - BY_PIP - IN_ROS_CORE
    }
    installed = {word for word in words_of(stages["runtime-base"], "RUN") if word.startswith(("python3-", "ros-"))}
    assert installed == from_apt


@pytest.mark.guarantee(
    "docker/Dockerfile runs the nodes as a user without privileges, with a health check on /diagnostics.",
    section="Programs",
)
def test_the_nodes_run_as_a_user_with_a_health_check(stages):
    assert [name for name in stages if name] == ["runtime-base", "build-base", "dev", "build", "runtime"]
    for name in ("dev", "runtime"):
        instructions = [instruction for instruction, _ in stages[name]]
        assert "USER" in instructions
        assert "RUN" not in instructions[instructions.index("USER") :]
        assert dict(stages[name])["USER"] == "emotion"
    check = dict(stages["runtime"])["HEALTHCHECK"]
    words = json.loads(check.partition("CMD ")[2])
    assert words[-2:] == ["emotion_perception", "health_check"]
    assert (ROOT / "scripts" / words[-1]).is_file()
    entrypoint = json.loads(dict(stages["runtime"])["ENTRYPOINT"])
    assert words[0] == entrypoint[0]
    assert ROOT.joinpath("docker", Path(entrypoint[0]).name).stat().st_mode & 0o111


def test_the_build_context_has_what_the_build_reads_and_no_environments():
    lines = (ROOT / "docker" / "Dockerfile.dockerignore").read_text().split()
    assert "*" in lines
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / path).exists() for path in kept)
    cmake = (ROOT / "CMakeLists.txt").read_text()
    read = set(re.findall(r"(?<![\w/$}{])(msg|srv|scripts|requirements|launch|config|rviz)(?=[/ )])", cmake))
    assert read | {"emotion_perception", "package.xml", "CMakeLists.txt"} <= kept
    copied = [path for word in words_of_copies() for path in ([] if word.startswith("/") else [word.rstrip("/")])]
    assert all(any(fnmatch.fnmatch(path, f"{entry}*") for entry in kept) for path in copied if path != ".")


def words_of_copies():
    """Returns what the Dockerfile copies from the build context."""
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    return [word for copy in copies for word in copy.split()]


def test_compose_and_the_dev_container_give_the_shared_memory_and_build_a_stage_of_the_dockerfile(stages):
    service = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]["emotion_perception"]
    assert service["shm_size"] == "1g"
    assert (ROOT / "docker" / service["build"]["context"] / service["build"]["dockerfile"]).samefile(DOCKERFILE)
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert "--shm-size=1g" in container["runArgs"]
    assert (ROOT / ".devcontainer" / container["build"]["dockerfile"]).samefile(DOCKERFILE)
    assert container["build"]["target"] in stages
    assert container["remoteUser"] == dict(stages["dev"])["USER"]


def test_the_entrypoint_is_bash():
    subprocess.run(["bash", "-n", ROOT / "docker" / "entrypoint.sh"], check=True)
