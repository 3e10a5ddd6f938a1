# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Fast DDS profile is read by this distribution's Fast DDS: one frame has to fit into shared memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEBIBYTE = 1 << 20
PROFILE_NAMES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")

# Prints the size of the largest shared-memory file that this node alone has made: its file is mapped into the process.
NODE = """
import os, pathlib, rclpy
rclpy.init()
node = rclpy.create_node("transport_probe")
maps = pathlib.Path("/proc/self/maps").read_text().split()
mine = {path for path in maps if path.startswith(("/dev/shm/fastrtps_", "/dev/shm/fastdds_"))}
print("largest:", max((os.path.getsize(path) for path in mine), default=0))
node.destroy_node()
rclpy.shutdown()
"""


def run_bash(script, **variables):
    names = {name: value for name, value in os.environ.items() if name not in PROFILE_NAMES}
    return subprocess.run(
        ["bash", "-c", script], env=names | variables, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )


def largest_segment(**variables):
    command = f'source "{ROOT}/scripts/env.sh" && exec "{sys.executable}" -c "$NODE"'
    done = run_bash(command, NODE=NODE, **variables)
    lines = [line for line in done.stdout.splitlines() if line.startswith("largest:")]
    assert lines, done.stderr
    return int(lines[0].split()[1]), done.stderr


@pytest.mark.skipif(os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp") != "rmw_fastrtps_cpp", reason="Fast DDS")
def test_a_nodes_shared_memory_holds_large_images():
    size, complaints = largest_segment()
    assert size > 64 * MEBIBYTE
    assert "deprecated" not in complaints


@pytest.mark.skipif(os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp") != "rmw_fastrtps_cpp", reason="Fast DDS")
def test_the_profile_can_be_turned_off():
    size, _ = largest_segment(EMOTION_PERCEPTION_NO_FASTDDS_PROFILE="1")
    assert 0 < size < MEBIBYTE


@pytest.mark.parametrize("name", PROFILE_NAMES[1:])
def test_a_profile_of_ones_own_is_left_alone(name):
    done = run_bash(f'source "{ROOT}/scripts/env.sh" && echo "${name}"', **{name: "/mine.xml"})
    assert done.stdout.strip() == "/mine.xml", done.stderr


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "LOCALHOST"),
        ({"LAN": "1"}, "unset"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, "SUBNET"),
        ({"LAN": "1", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, "SUBNET"),
    ],
)
def test_nodes_stay_on_this_machine_unless_asked(variables, expected, monkeypatch):
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    monkeypatch.delenv("LAN", raising=False)
    done = run_bash(f'source "{ROOT}/scripts/env.sh" && echo "${{ROS_AUTOMATIC_DISCOVERY_RANGE:-unset}}"', **variables)
    assert done.stdout.strip() == expected, done.stderr
