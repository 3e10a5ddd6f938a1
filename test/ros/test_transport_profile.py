# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Fast DDS profiles as this distribution's Fast DDS reads them: shared memory for a frame, sockets on loopback."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEBIBYTE = 1 << 20
PROFILE_NAMES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
DISCOVERY_NAMES = (
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "LAN",
    "RMW_IMPLEMENTATION",
    "EMOTION_PERCEPTION_NO_FASTDDS_PROFILE",
)

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

# Prints address and port of each socket of a node.
SOCKETS = """
import os, sys
sys.path.insert(0, "HELPERS")
import rclpy
from open_sockets import sockets_of
rclpy.init()
node = rclpy.create_node("transport_probe")
print(sockets_of(os.getpid()))
node.destroy_node()
rclpy.shutdown()
"""

needs_fast_dds = pytest.mark.skipif(
    os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp") != "rmw_fastrtps_cpp", reason="another RMW than Fast DDS"
)


def run_bash(script, **variables):
    names = {name: value for name, value in os.environ.items() if name not in (*PROFILE_NAMES, *DISCOVERY_NAMES)}
    return subprocess.run(
        ["bash", "-c", script], env=names | variables, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )


def largest_segment(**variables):
    command = f'source "{ROOT}/scripts/env.sh" && exec "{sys.executable}" -c "$NODE"'
    done = run_bash(command, NODE=NODE, **variables)
    lines = [line for line in done.stdout.splitlines() if line.startswith("largest:")]
    assert lines, done.stderr
    return int(lines[0].split()[1]), done.stderr


@needs_fast_dds
def test_a_nodes_shared_memory_holds_large_images():
    size, complaints = largest_segment()
    assert size > 64 * MEBIBYTE
    assert "deprecated" not in complaints


@needs_fast_dds
def test_the_profile_can_be_turned_off():
    size, _ = largest_segment(EMOTION_PERCEPTION_NO_FASTDDS_PROFILE="1")
    assert 0 < size < MEBIBYTE


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_a_profile_of_ones_own_is_left_alone(name):
    done = run_bash(f'source "{ROOT}/scripts/env.sh" && echo "$(env | grep ^FAST)"', **{name: "/mine.xml"})
    assert done.stdout.strip() == f"{name}=/mine.xml", done.stderr


THIS_MACHINE, ALL_MACHINES = f"{ROOT}/config/fastdds_loopback.xml", f"{ROOT}/config/fastdds.xml"


@pytest.mark.parametrize(
    ("variables", "discovery_range", "profile"),
    [
        ({}, "SYSTEM_DEFAULT", THIS_MACHINE),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}, "SYSTEM_DEFAULT", THIS_MACHINE),
        ({"EMOTION_PERCEPTION_NO_FASTDDS_PROFILE": "1"}, "LOCALHOST", "unset"),
        ({"FASTDDS_DEFAULT_PROFILES_FILE": "/mine.xml"}, "LOCALHOST", "/mine.xml"),
        ({"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}, "LOCALHOST", "unset"),
        ({"LAN": "1"}, "unset", ALL_MACHINES),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, "SUBNET", ALL_MACHINES),
        ({"LAN": "1", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, "SUBNET", ALL_MACHINES),
    ],
)
def test_nodes_stay_on_this_machine_unless_asked(variables, discovery_range, profile):
    assert settings("true", **variables) == [discovery_range, profile]


@pytest.mark.parametrize("lan", ["0", "1"])
def test_a_shell_that_is_set_up_already_can_be_set_up_otherwise(lan):
    """Both ways: with `LAN=1` after without, and without after with."""
    expected = settings("true", LAN=lan)
    assert settings(f'LAN={1 - int(lan)} && source "{ROOT}/scripts/env.sh" && LAN={lan}') == expected


def settings(before, **variables):
    """Returns the discovery range and the profile that env.sh sets, or `unset`, after a command."""
    words = '"${ROS_AUTOMATIC_DISCOVERY_RANGE:-unset}" "${FASTDDS_DEFAULT_PROFILES_FILE:-unset}"'
    done = run_bash(f'{before} && source "{ROOT}/scripts/env.sh" && echo {words}', **variables)
    return done.stdout.split()


@needs_fast_dds
@pytest.mark.guarantee("Without `LAN=1` every socket of a node is bound to 127.0.0.1.", section="Other machines")
def test_without_lan_every_socket_of_a_node_is_bound_to_loopback():
    addresses = [address for address, _ in sockets(LAN="0")]
    assert len(addresses) >= 3, "a node has sockets"
    assert set(addresses) == {"127.0.0.1"}


@needs_fast_dds
def test_with_lan_the_sockets_of_a_node_are_bound_to_every_interface():
    assert "0.0.0.0" in {address for address, _ in sockets(LAN="1")}


def sockets(**variables):
    """Returns address and port of each socket of a node in an environment that env.sh has set up."""
    script = f'source "{ROOT}/scripts/env.sh" && exec "{sys.executable}" -c "$NODE"'
    helpers = str(Path(__file__).parents[1] / "helpers")
    done = run_bash(script, NODE=SOCKETS.replace("HELPERS", helpers), **variables)
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout.splitlines()[-1])
