# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The successor of a killed process does not take a shared-memory port that a living one still writes to."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emotion_perception.ros.transport import shared_memory_ports

pytestmark = pytest.mark.skipif(
    os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp") != "rmw_fastrtps_cpp", reason="another RMW than Fast DDS"
)
START_S = 60.0

WRITER = """
import rclpy
from std_msgs.msg import Header
rclpy.init()
node = rclpy.create_node("writer")
publisher = node.create_publisher(Header, "headers", 5)
node.create_timer(0.05, lambda: publisher.publish(Header(stamp=node.get_clock().now().to_msg())))
rclpy.spin(node)
"""

# Prints a line for each message; as the programs of this package do, or as any program of rclpy.
READER = """
import sys, threading, rclpy
from std_msgs.msg import Header
from emotion_perception.ros.process import run_process

def work(stop):
    node = rclpy.create_node("reader")
    node.create_subscription(Header, "headers", lambda _: print("message", flush=True), 5)
    while not stop.is_set():
        rclpy.spin_once(node, timeout_sec=0.1)
    return 0

if sys.argv[1] == "ours":
    sys.exit(run_process(work, lambda: None))
rclpy.init()
work(threading.Event())
"""


class Program:
    def __init__(self, code, *arguments):
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, bufsize=1
        )

    @property
    def ports(self):
        """The shared-memory ports that it listens on: Fast DDS names a thread after each."""
        names = [(task / "comm").read_text().strip() for task in Path(f"/proc/{self._process.pid}/task").iterdir()]
        return {int(name.split(".")[2]) for name in names if name.startswith("dds.shm.") and name[8:].isdigit()}

    @property
    def written_to(self):
        """The shared-memory ports that it has open, its own and those of others, and their files."""
        maps = Path(f"/proc/{self._process.pid}/maps").read_text()
        found = re.finditer(r"/dev/shm/fast(?:rtps|dds)_port(\d+)$", maps, re.MULTILINE)
        return {int(match[1]): Path(match[0]) for match in found}

    def wait_for_ports(self):
        deadline_s = time.monotonic() + START_S
        while len(self.ports) < 2:  # of the messages, and of the graph
            assert self._process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        return self.ports

    def wait_for_message(self):
        assert "message\n" in iter(self._process.stdout.readline, "")  # Fast DDS may print more

    def send(self, number):
        self._process.send_signal(number)

    def end(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture
def program(ros_domain):
    """Starts a program; kills it afterwards."""
    programs = []

    def start(code, *arguments):
        programs.append(Program(code, *arguments))
        return programs[-1]

    yield start
    for each in programs:
        each.end()


def succeed(program, kind):
    """Kills a reader while a writer has ports of it open; returns these, its successor's ports, and both programs.

    The writer is halted meanwhile: it would notice most deaths, and leave the ports.
    """
    writer, reader = program(WRITER), program(READER, "ours")
    reader.wait_for_message()
    ports = reader.wait_for_ports()
    writer.send(signal.SIGSTOP)
    reader.end()
    dead = ports & writer.written_to.keys()
    assert dead
    successor = program(READER, kind)
    return dead, successor.wait_for_ports(), writer, successor


@pytest.mark.guarantee(
    "The successor of a killed process takes no shared memory that others still write to, so it receives everything.",
    section="Fault injection",
)
def test_a_successor_takes_no_port_that_somebody_still_writes_to(program):
    dead, taken, writer, successor = succeed(program, "ours")
    assert not dead & taken
    writer.send(signal.SIGCONT)
    successor.wait_for_message()


def test_a_port_that_was_removed_while_somebody_has_it_open_is_not_taken_either(program):
    """One writer has noticed that the listener is dead, and has removed the port; another still writes to it."""
    writer, reader = program(WRITER), program(READER, "ours")
    reader.wait_for_message()
    ports = reader.wait_for_ports()
    writer.send(signal.SIGSTOP)
    reader.end()
    dead = {port: path for port, path in writer.written_to.items() if port in ports}
    assert dead
    for path in dead.values():
        path.unlink()
        path.with_name(f"{path.name}_el").unlink()
    successor = program(READER, "ours")
    assert not dead.keys() & successor.wait_for_ports()
    writer.send(signal.SIGCONT)
    successor.wait_for_message()


def test_any_other_program_takes_the_port_of_the_dead(program):
    """The control of the test above: that is what Fast DDS does.

    Tried several times: a node of this package that starts elsewhere on this machine at that moment locks the ports.
    """
    attempts = (succeed(program, "plain") for _ in range(5))
    assert any(dead & taken for dead, taken, _, _ in attempts)


@pytest.mark.guarantee(
    "A process that was killed while it created a shared-memory port does not keep its successor from starting.",
    section="Fault injection",
)
def test_a_port_that_was_never_completed_is_removed(program):
    first = program(READER, "ours")
    ports = first.wait_for_ports()
    files = [path for port, path in first.written_to.items() if port in ports]
    first.end()
    for path in files:
        path.with_name(f"{path.name}_el").unlink()  # locked by the last step of its creation
        with open(path, "r+b") as file:
            file.write(bytes(4))  # the state of the file until then
    assert program(READER, "ours").wait_for_ports() & ports


def test_a_port_that_may_still_be_completed_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_memory_ports, "_FOLDER", tmp_path)
    complete, young, old, other = (
        tmp_path / name for name in ("fastrtps_port7000", "fastrtps_port7001", "fastdds_port7002", "fastrtps_port7_el")
    )
    for path, content in ((complete, b"\2\0\0\0"), (young, bytes(4)), (old, b""), (other, b"")):
        path.write_bytes(content)
    for path in (complete, old, other):
        os.utime(path, (0, 0))
    assert not shared_memory_ports.remove_incomplete()
    assert {path.name for path in tmp_path.iterdir()} == {complete.name, young.name, other.name}
    young.write_bytes(b"\2\0\0\0")
    assert shared_memory_ports.remove_incomplete()
