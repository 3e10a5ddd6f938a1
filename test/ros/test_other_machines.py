# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What another machine gets of the nodes, and what other programs of this machine get."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from network_namespaces import ADDRESSES, two_machines_or_skip
from open_sockets import sockets_of
from processes import wait_or_kill

ROOT = Path(__file__).resolve().parents[2]
START_S, END_S = 60.0, 10.0
OURS = (
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "ROS_STATIC_PEERS",
    "FASTRTPS_DEFAULT_PROFILES_FILE",
    "FASTDDS_DEFAULT_PROFILES_FILE",
    "EMOTION_PERCEPTION_NO_FASTDDS_PROFILE",
    "LAN",
)
NEEDS_FAST_DDS = pytest.mark.skipif(
    os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp") != "rmw_fastrtps_cpp", reason="another RMW than Fast DDS"
)
pytestmark = [NEEDS_FAST_DDS, pytest.mark.slow]

# Prints once a second, as a line of JSON, what it has got: of topics, of the graph, of a service and of a parameter.
GUEST = """
import json, sys, time, rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import ListParameters, SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from visualization_msgs.msg import MarkerArray

rclpy.init()
node = rclpy.create_node(sys.argv[1])
got = {"images": 0, "diagnostics": 0, "markers": 0, "listed": False, "set": False}
for kind, topic, name in [(Image, "image_raw", "images"), (DiagnosticArray, "/diagnostics", "diagnostics"),
                          (MarkerArray, "markers", "markers")]:
    node.create_subscription(kind, topic, lambda _, name=name: got.update({name: got[name] + 1}), 5)
calls = {
    "listed": (node.create_client(ListParameters, "camera_node/list_parameters"), ListParameters.Request()),
    "set": (node.create_client(SetParameters, "camera_node/set_parameters"),
            SetParameters.Request(parameters=[Parameter("jpeg_quality", value=33).to_parameter_msg()])),
}
answers, told_s = {}, 0.0
while True:
    rclpy.spin_once(node, timeout_sec=0.1)
    for name, (client, request) in calls.items():
        if name not in answers and client.service_is_ready():
            answers[name] = client.call_async(request)
        got[name] = name in answers and answers[name].done()
    if time.monotonic() - told_s > 1.0:
        told_s = time.monotonic()
        nodes = sorted(set(node.get_node_names()) - {sys.argv[1]})
        publishers = node.count_publishers("image_raw")
        print(json.dumps({**got, "nodes": nodes, "publishers": publishers}), flush=True)
"""

# Sends a datagram to every port of a domain and every port from which ROS takes more, and prints those that are open:
# where nothing listens on this address, the other machine refuses.
KNOCK = """
import json, socket, sys
address, domain = sys.argv[1], int(sys.argv[2])
known = [*range(7000, 7400), *range(7400 + 250 * domain, 7650 + 250 * domain)]


def refuses(port):
    for _ in range(3):  # the kernel sends so many refusals a second
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(0.5)
            sender.connect((address, port))
            try:
                sender.send(b"RTPS")
                sender.recv(1)
                return False
            except ConnectionRefusedError:
                return True
            except TimeoutError:
                pass
    return False


is_open = [port for port in known if not refuses(port)]
print(json.dumps(is_open))
"""


def environment(**variables):
    """Returns the variables of a shell that knows nothing of this package's settings of the middleware."""
    return {name: value for name, value in os.environ.items() if name not in OURS} | variables


def in_env(command, **variables):
    """Returns a command that runs in the environment of scripts/env.sh, and its variables."""
    return [ROOT / "scripts" / "in_env.sh", *command], environment(**variables)


def camera_command():
    return [ROOT / "scripts" / "camera_node", "--ros-args", "-p", "video_device:=synthetic"]


class Guest:
    """The program GUEST, and what it has printed last."""

    def __init__(self, process, output):
        self._process, self._output = process, output

    def got(self):
        lines = [line for line in self._output.read_text().splitlines() if line.startswith("{")]
        return json.loads(lines[-1]) if lines and lines[-1].endswith("}") else {}

    def wait(self, condition, complaint):
        deadline_s = time.monotonic() + START_S
        while not condition(self.got()):
            assert self._process.poll() is None, self._output.read_text()
            assert time.monotonic() < deadline_s, f"{complaint}: {self._output.read_text()}"
            time.sleep(0.05)
        return self.got()


@pytest.fixture
def start(tmp_path):
    """Starts a process and ends it afterwards: `start(name, command, environment, run)`; returns it and its output."""
    processes = []

    def start(name, command, variables, run=subprocess.Popen):
        output = tmp_path / name
        with output.open("w") as file:
            process = run([str(word) for word in command], env=variables, stdout=file, stderr=subprocess.STDOUT)
        processes.append(process)
        return process, output

    yield start
    for process in processes:
        process.terminate()
    for process in processes:
        wait_or_kill(process, END_S)


@pytest.fixture
def two_machines():
    """Two machines on one network."""
    machines = two_machines_or_skip()
    yield machines
    machines.close()


def guest_command(name):
    return [sys.executable, "-c", GUEST, name]


def guest(start, name, run=subprocess.Popen, **variables):
    """Starts GUEST as a program that knows nothing of this package's settings."""
    return Guest(*start(name, guest_command(name), environment(**variables), run))


def robot_and_outsiders(start, machines, **variables):
    """Starts a camera on one machine, and two outsiders on the other: one uses multicast, one names the machine."""
    start("camera", *in_env(camera_command(), **variables), lambda *a, **k: machines.start(0, *a, **k))
    away = lambda *a, **k: machines.start(1, *a, **k)  # noqa: E731
    return [
        guest(start, "multicast", away),
        guest(start, "static_peer", away, ROS_STATIC_PEERS=ADDRESSES[0]),
    ]


def open_ports(start, machines, domain):
    """Returns the known ports of the robot that are open for the other machine."""
    command = [sys.executable, "-c", KNOCK, ADDRESSES[0], str(domain)]
    process, output = start("knock", command, environment(), lambda *a, **k: machines.start(1, *a, **k))
    process.wait(START_S)
    return json.loads(output.read_text())


@pytest.mark.guarantee(
    "Without `LAN=1` a program on another machine, which knows domain, address and ports, gets no image, sees no node, "
    "and can call no service and set no parameter.",
    section="Other machines",
)
def test_without_lan_another_machine_gets_nothing(start, two_machines, ros_domain):
    outsiders = robot_and_outsiders(start, two_machines, LAN="0")
    local = Guest(
        *start("local", *in_env(guest_command("local"), LAN="0"), lambda *a, **k: two_machines.start(0, *a, **k))
    )
    for outsider in outsiders:
        outsider.wait(lambda got: got, "it does not start")
    local.wait(lambda got: got.get("images", 0) > 0, "the camera publishes nothing on its own machine")
    before = local.got()["images"]
    local.wait(lambda got: got["images"] > before + 100, "the camera stops")
    nothing = {"images": 0, "diagnostics": 0, "markers": 0, "listed": False, "set": False, "publishers": 0}
    for outsider in outsiders:
        got = outsider.got()
        assert set(got.pop("nodes")) <= {"multicast", "static_peer"}
        assert got == nothing
    assert open_ports(start, two_machines, ros_domain) == []


def test_with_lan_another_machine_gets_everything(start, two_machines, ros_domain):
    """The control of the test above: the same outsiders, and everything that they did not get."""
    for outsider in robot_and_outsiders(start, two_machines, LAN="1"):
        got = outsider.wait(
            lambda got: got.get("images") and got["diagnostics"] and got["listed"] and got["set"], "it gets nothing"
        )
        assert "camera_node" in got["nodes"]
        assert got["publishers"] == 1
    assert len(open_ports(start, two_machines, ros_domain)) >= 2


@pytest.mark.guarantee(
    "Without `LAN=1` other ROS programs of this machine reach the nodes, whatever their discovery range.",
    section="Other machines",
)
@pytest.mark.parametrize("discovery_range", ["SUBNET", "LOCALHOST"])
def test_a_program_of_this_machine_without_our_settings_reaches_the_nodes(start, discovery_range):
    start("camera", *in_env(camera_command(), LAN="0"))
    program = guest(start, "plain", ROS_AUTOMATIC_DISCOVERY_RANGE=discovery_range)
    got = program.wait(lambda got: got.get("images") and got["listed"] and got["set"], "it gets nothing")
    assert got["nodes"] == ["camera_node"]


@pytest.mark.guarantee(
    "Without `LAN=1` twelve processes of one domain all find each other, those with our settings and those without.",
    section="Other machines",
)
def test_twelve_processes_of_one_domain_find_each_other(start):
    names = [f"program{number}" for number in range(12)]
    programs = []
    for number, name in enumerate(names):
        with_ours, plain = in_env(guest_command(name), LAN="0"), (guest_command(name), environment())
        programs.append(Guest(*start(name, *(plain if number % 4 == 3 else with_ours))))
    for name, program in zip(names, programs, strict=True):
        others = sorted(set(names) - {name})
        program.wait(lambda got, others=others: got.get("nodes") == others, f"{name} does not find all")


@pytest.mark.guarantee(
    "All sockets of the processes of `make demo` are bound to 127.0.0.1 unless `LAN=1`.", section="Other machines"
)
def test_every_socket_of_the_demonstration_is_on_loopback(start, tmp_path):
    command = [sys.executable, "-m", "emotion_perception.ros.demo", "--source", "synthetic", "--out", tmp_path / "out"]
    process, output = start("demo", *in_env(command, LAN="0"))
    deadline_s = time.monotonic() + START_S
    while "frames" not in output.read_text():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline_s, output.read_text()
        time.sleep(0.1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children
    for pid in (process.pid, *children):
        sockets = sockets_of(pid)
        assert len(sockets) >= 3
        assert {address for address, _ in sockets} == {"127.0.0.1"}
