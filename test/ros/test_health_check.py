# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import subprocess

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from node_processes import NODES, START_S, installed


def entry(name, level=DiagnosticStatus.OK, message="ok"):
    return DiagnosticStatus(name=name, level=level, message=message)


HEALTHY = [entry(f"/{name}") for name in NODES[1:]]
NO_CAMERA = entry("/camera_node: source", DiagnosticStatus.ERROR, "no camera\n\x1b[31m" + "x" * 1000)


@pytest.fixture
def checked(graph):
    """A function that runs health_check with these arguments while these entries are published."""

    def run(*arguments, statuses, stdout=subprocess.PIPE):
        command = [installed("health_check"), *arguments]
        process = subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True)
        publisher = graph.probe.create_publisher(DiagnosticArray, "/diagnostics", 10)
        timer = graph.probe.create_timer(0.05, lambda: publisher.publish(DiagnosticArray(status=statuses)))
        graph.wait(lambda: process.poll() is not None, "health_check does not end")
        graph.probe.destroy_timer(timer)
        graph.probe.destroy_publisher(publisher)
        output, error = process.communicate(timeout=START_S)
        return process.returncode, ((output or "") + error).strip()

    return run


@pytest.mark.guarantee(
    "health_check ends with 0 when every node reports on /diagnostics and none has an error, else with 1 and a line.",
    section="Programs",
)
def test_the_exit_code_tells_whether_all_nodes_are_healthy(checked):
    assert checked(statuses=[entry("/camera_node: source", DiagnosticStatus.WARN), *HEALTHY]) == (0, "ok")
    code, line = checked(statuses=[NO_CAMERA, *HEALTHY])
    assert code == 1
    assert line.startswith("/camera_node: no camera\\n\\x1b[31mxxx")
    assert len(line) < 400


def test_nodes_and_the_worst_level_are_arguments(checked):
    ros = ("--ros-args", "-r", "__ns:=/front")
    statuses = [entry("/front/camera_node", DiagnosticStatus.ERROR, "no camera"), *HEALTHY]
    assert checked("camera_node", "/overlay_node", "--worst", "error", *ros, statuses=statuses) == (0, "ok")
    missing = checked("camera_node", "/no_such_node", "--timeout", "5", "--worst", "error", *ros, statuses=statuses)
    assert missing == (1, "/no_such_node has not reported within 5 s")


@pytest.mark.parametrize("arguments", [("--timeout", "0"), ("--timeout", "soon"), ("--worst", "none"), ("--nodes",)])
def test_a_wrong_argument_is_exit_code_2(arguments):
    ended = subprocess.run([installed("health_check"), *arguments], capture_output=True, text=True, timeout=START_S)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("health_check: error: ")


def test_the_exit_code_is_right_where_nothing_can_be_written(checked):
    with open("/dev/full", "w") as full:
        assert checked(statuses=[entry("/camera_node"), *HEALTHY], stdout=full) == (0, "")
        command = [installed("health_check"), "--timeout", "0.5"]
        assert subprocess.run(command, stderr=full, timeout=START_S).returncode == 1


@pytest.mark.parametrize(
    ("ros", "problem"),
    [
        (("-r", f"__node:={'a' * 300}"), "name length should not exceed"),
        (("-p", "nosuch:=1"), "health_check has no parameter nosuch"),
    ],
)
def test_a_wrong_name_or_parameter_is_one_line(ros, problem):
    command = [installed("health_check"), "--timeout", "1", "--ros-args", *ros]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=START_S)
    assert ended.returncode == 78
    assert problem in ended.stderr
    assert "Traceback" not in ended.stderr
