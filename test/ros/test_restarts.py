# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which nodes are restarted, by the supervisor of the demonstration and by the launch file, and how often."""

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from node_processes import START_S, Probe

from emotion_perception.ros import restart_policy
from emotion_perception.ros.demo.supervisor import ProcessError, Supervisor
from emotion_perception.ros.restart_policy import MAX_RESTARTS, RESTARTS_PERIOD_S, RestartPolicy

LAUNCH_S = 120.0
NOT_RESTARTED = {0: "is not restarted", 2: "configuration cannot work", 78: "configuration cannot work"}
# what the launch files do in a user's shell; from /, because a folder of this name in the repository hides ROS's launch
LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from ament_index_python import get_package_share_directory

path = get_package_share_directory("emotion_perception") + "/launch/" + sys.argv[1]
given = [tuple(word.split(":=", 1)) for word in sys.argv[2:]]
service = LaunchService()
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments=given)])
)
sys.exit(service.run())
"""


@pytest.mark.parametrize("code", [0, 2, 78, -signal.SIGINT, -signal.SIGTERM, -signal.SIGALRM])
def test_a_proper_end_and_a_wrong_configuration_are_no_reason_to_restart(code):
    assert f"node ended with exit code {code}" in RestartPolicy().refusal("node", code, 0.0)


@pytest.mark.parametrize("code", [1, 3, 127, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGABRT])
def test_a_failed_node_is_restarted_so_many_times_in_a_period(code):
    policy = RestartPolicy()
    assert [policy.refusal("node", code, second) for second in range(MAX_RESTARTS)] == [""] * MAX_RESTARTS
    line = f"node ended with exit code {code} after {MAX_RESTARTS} restarts in 20 s, it is not restarted again"
    assert policy.refusal("node", code, 20.0) == line
    assert policy.refusal("node", code, RESTARTS_PERIOD_S - 0.01) != ""
    assert policy.refusal("node", code, RESTARTS_PERIOD_S) == ""
    assert policy.refusal("node", code, RESTARTS_PERIOD_S + 0.5) != "", "the second one is in the period still"


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A function that makes a node's program end at its start with an exit code; returns the file with its starts."""

    def break_node(name, code):
        starts = tmp_path / "starts"
        starts.touch()
        (tmp_path / "sitecustomize.py").write_text(
            "import os, sys\n"
            f"if sys.orig_argv[1:2] and os.path.basename(sys.orig_argv[1]) == {name!r}:\n"
            f"    open({str(starts)!r}, 'a').write('x')\n"
            f"    os._exit({code})\n"
        )
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
        return starts

    return break_node


def check_until_error(supervisor):
    """Supervises until a node is not restarted; returns the line."""
    deadline_s = time.monotonic() + LAUNCH_S
    try:
        while time.monotonic() < deadline_s:
            supervisor.check(respawn=True)
            with contextlib.suppress(subprocess.TimeoutExpired):
                supervisor._nodes["overlay_node"].process.wait(0.05)
    except ProcessError as e:
        return str(e)
    finally:
        supervisor.stop(starting=True)
    pytest.fail("it is restarted for ever")


@pytest.mark.guarantee(
    "The supervisor restarts no node after exit code 78 or 2, and a node that fails at most ten times in five minutes; "
    "then the demonstration ends with one line.",
    section="Fault injection",
)
@pytest.mark.parametrize(("code", "limit"), [(78, 0), (2, 0), (0, 0), (3, 2)])
def test_the_supervisor_gives_a_node_up(broken, monkeypatch, code, limit):
    monkeypatch.setattr(restart_policy, "MAX_RESTARTS", 2)  # each one is delayed for longer
    starts = broken("overlay_node", code)
    line = check_until_error(Supervisor({"overlay_node": []}))
    assert line.startswith(f"overlay_node ended with exit code {code}")
    assert NOT_RESTARTED.get(code, "after 2 restarts") in line
    assert len(starts.read_text()) == 1 + limit


@contextlib.contextmanager
def launched(name, *arguments, log):
    """A launch file that runs meanwhile, with its output in a file."""
    with open(log, "w") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, name, *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=os.environ | {"ROS_LOG_DIR": str(log.parent / "ros_log")},
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(START_S)
            finally:
                process.kill()


def wait_for_line(process, log, text):
    deadline_s = time.monotonic() + LAUNCH_S
    while text not in log.read_text():
        assert time.monotonic() < deadline_s, f"no '{text}' in {log.read_text()}"
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)


needs_launch = pytest.mark.skipif(
    importlib.util.find_spec("launch_ros") is None,
    reason="launch files need launch_ros, which comes with a ROS from apt, not from PyPI",
)


@needs_launch
@pytest.mark.guarantee(
    "`respawn:=true` restarts no node after exit code 78 or 2, and one that fails at most ten times in five minutes; "
    "then one line says so and the other nodes go on.",
    section="Fault injection",
)
@pytest.mark.parametrize("code", [78, 2, 0, 3])
@pytest.mark.parametrize("composed", ["false", "true"])
def test_the_launch_file_gives_a_node_up(broken, tmp_path, code, composed):
    program = "emotion_perception_composed" if composed == "true" else "overlay_node"
    starts, log = broken(program, code), tmp_path / "log"
    arguments = ["respawn:=true", f"composed:={composed}", "video_device:=/no/camera"]
    with launched("emotion_perception.launch.py", *arguments, log=log) as process:
        # with one process alone, the launch ends with it
        ended = f"{program}-\\d+ ended with exit code {code}"
        deadline_s = time.monotonic() + LAUNCH_S
        while not re.search(ended, log.read_text()) and process.poll() is None:
            assert time.monotonic() < deadline_s, log.read_text()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        (line,) = re.findall(f".*{ended}.*", log.read_text())
        assert NOT_RESTARTED.get(code, f"after {MAX_RESTARTS} restarts") in line
        assert composed == "true" or process.poll() is None, "the other nodes go on"
    assert len(starts.read_text()) == (1 if code in NOT_RESTARTED else 1 + MAX_RESTARTS)


@needs_launch
@pytest.mark.parametrize("respawn", ["true", "false"])
def test_a_wrong_configuration_is_one_line_of_the_node_and_one_of_launch(tmp_path, respawn):
    log = tmp_path / "log"
    arguments = [f"respawn:={respawn}", "composed:=false", "model:=/no/such.safetensors", "video_device:=/no/camera"]
    with launched("emotion_perception.launch.py", *arguments, log=log) as process:
        wait_for_line(process, log, "exit code 78, cmd")
    lines = [line for line in log.read_text().splitlines() if "emotion_classifier_node-" in line]
    assert sum("/no/such." in line and "no such file" in line for line in lines) == 1
    assert sum("process has died" in line and "exit code 78" in line for line in lines) == 1
    assert sum("process started" in line for line in lines) == 1


@needs_launch
def test_a_killed_node_is_back_in_its_namespace_with_its_environment(tmp_path):
    log = tmp_path / "log"
    arguments = ["respawn:=true", "composed:=false", "namespace:=robot", "use_overlay:=false"]
    arguments.append("video_device:=/no/camera")
    with launched("emotion_perception.launch.py", *arguments, log=log) as process:
        with contextlib.closing(Probe(process)) as probe:
            probe.wait_for_active("robot/camera_node")
            (pid,) = map(int, re.findall(r"\[camera_node-\d+\]: process started with pid \[(\d+)\]", log.read_text()))
            environment = environment_of(pid)
            os.kill(pid, signal.SIGKILL)
            wait_for_line(process, log, "exit code -9")
            del probe.statuses["/robot/camera_node"]
            probe.wait_for_active("robot/camera_node")
        pids = re.findall(r"\[camera_node-\d+\]: process started with pid \[(\d+)\]", log.read_text())
        assert environment_of(int(pids[-1])) == environment
    assert len(pids) == 2


def environment_of(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        return dict(entry.split(b"=", 1) for entry in file.read().split(b"\0") if entry)
