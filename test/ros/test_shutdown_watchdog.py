# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The end of processes whose middleware does not return."""

import signal
import subprocess
import sys
import time

import pytest
from node_processes import END_S, START_S

from emotion_perception.ros.demo import supervisor
from emotion_perception.ros.demo.supervisor import Supervisor
from emotion_perception.ros.shutdown_watchdog import SHUTDOWN_TIMEOUT_S

STUCK = """
import ctypes, sys
from emotion_perception.ros.lifecycle_node import Behavior, PerceptionNode
from emotion_perception.ros.node_runner import run_node
from emotion_perception.ros.one_shot_node import OneShotNode, run_one_shot_node
from emotion_perception.ros.config import OverlayNodeConfig

class Stuck:
    def __init__(self):
        super().__init__("stuck", OverlayNodeConfig)

    def destroy_node(self):
        ctypes.PyDLL(None).sleep(600)  # as Fast DDS does it: in C, and with Python's lock

class StuckNode(Stuck, PerceptionNode):
    def configure(self, resources):
        return Work()

class Work(Behavior):
    def activate(self, resources):
        resources.callback(print, "work ended", flush=True)
        print("here", flush=True)

class StuckOneShotNode(Stuck, OneShotNode):
    def run(self, stop):
        print("here", flush=True)
        return stop.wait() and 0

sys.exit(run_node(StuckNode) if sys.argv[1] == "lifecycle" else run_one_shot_node(StuckOneShotNode))
"""

SLOW_TO_END = """
import signal, sys, time
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("here", flush=True)
signal.sigwait([signal.SIGTERM])
print(time.monotonic(), flush=True)
time.sleep(0.3)
print(time.monotonic(), flush=True)
"""


def stuck(kind):
    process = subprocess.Popen([sys.executable, "-c", STUCK, kind], stdout=subprocess.PIPE, text=True)
    try:
        lines = [process.stdout.readline()]
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=SHUTDOWN_TIMEOUT_S + END_S + START_S)
    finally:
        process.kill()
    return process.returncode, lines + output.splitlines(keepends=True)


@pytest.mark.guarantee(
    "A process whose middleware blocks the shutdown is ended by SIGALRM three seconds later.", section="Every node"
)
def test_a_node_whose_middleware_never_comes_back_has_done_its_work_and_is_cut_off():
    assert stuck("lifecycle") == (-signal.SIGALRM, ["here\n", "work ended\n"])


@pytest.mark.guarantee(
    "A process whose middleware blocks the shutdown is ended by SIGALRM three seconds later.", section="Every node"
)
def test_a_program_whose_middleware_never_comes_back_is_cut_off_too():
    assert stuck("one-shot") == (-signal.SIGALRM, ["here\n"])


def test_the_supervisor_ends_one_after_another(monkeypatch, tmp_path):
    files = {name: tmp_path / name for name in ("one", "two", "three")}

    def start(command):
        (name,) = command
        with open(files[name], "w") as file:
            return subprocess.Popen([sys.executable, "-c", SLOW_TO_END], stdout=file)

    monkeypatch.setattr(supervisor, "_command", lambda name, arguments, overrides: [name])
    monkeypatch.setattr(supervisor, "_start", start)
    processes = Supervisor({name: [] for name in files})
    deadline_s = time.monotonic() + START_S
    while not all(file.read_text() for file in files.values()):
        assert time.monotonic() < deadline_s, "they do not start"
        processes.check(respawn=False)
    assert processes.stop(starting=False) == []
    times = [float(line) for file in files.values() for line in file.read_text().splitlines()[1:]]
    assert len(times) == 6
    assert times == sorted(times), "the next is told to end when the one before has ended"
