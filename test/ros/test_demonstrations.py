# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Demonstrations beside each other and beside other nodes: their results are never mixed."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import cv2
import pytest
from malformed import Malformed
from node_processes import ROOT, START_S, Probe, start
from real_face import need_real_face
from sensor_msgs.msg import Image

from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.demo.domain import has_participants

pytestmark = pytest.mark.slow

PAUSE_S = 13.0  # longer than a node may be silent
REFUSED_S = 60.0  # it takes a second or two where nothing else runs


def command(out, *options):
    return [sys.executable, "-m", "emotion_perception.ros.demo", "--source", "synthetic", "--out", out, *options]


def camera(width, height):
    """Returns the options of a run of four seconds with images of that size."""
    size = ["--camera", f"image_width:={width}", "--camera", f"image_height:={height}"]
    return ["--seconds", "4", *size]


@contextlib.contextmanager
def running(out, *options, **environment):
    """A demonstration that runs meanwhile."""
    need_real_face()
    process = subprocess.Popen(
        command(out, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
    )
    try:
        yield process
    finally:
        process.terminate()  # not kill: its nodes have to end as well
        process.communicate(timeout=START_S)


def refused(out, **environment):
    """Runs a demonstration that cannot run; returns its only line."""
    need_real_face()
    ended = subprocess.run(
        command(out), capture_output=True, text=True, cwd=ROOT, env=os.environ | environment, timeout=REFUSED_S
    )
    assert ended.returncode == 1, ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


def begun(process):
    """Waits until a demonstration reports emotions; it gives up by itself if none come."""
    lines = []
    for line in iter(process.stdout.readline, ""):
        lines.append(line)
        if re.search(r" [1-9]\d* emotions ", line):
            return
    pytest.fail("".join(lines))


@pytest.mark.guarantee(
    "Demonstrations at the same time have ROS domains and frame counts of their own.", section="Programs"
)
def test_two_demonstrations_at_once_count_their_own_frames(tmp_path, monkeypatch):
    monkeypatch.delenv("ROS_DOMAIN_ID")
    outs, domains = {tmp_path / "first": (320, 240), tmp_path / "second": (640, 480)}, set()
    with contextlib.ExitStack() as stack:
        for process in [stack.enter_context(running(out, *camera(*size))) for out, size in outs.items()]:
            output, _ = process.communicate(timeout=4 * START_S)
            assert process.returncode == 0, output
            domains.add(re.search(r"in ROS domain (\d+)", output)[1])
    assert len(domains) == 2
    for out, (width, height) in outs.items():
        assert cv2.imread(str(out / "overlay.png")).shape == (height, width, 3)
        summary = json.loads((out / "summary.json").read_text())
        assert summary["frames_published"] >= summary["frames_received"] > 0
        ends = summary["frames_processed"] + summary["frames_dropped"] + summary["frames_failed"]
        assert ends == summary["frames_received"]
        assert 0 < sum(summary["statuses"].values()) <= summary["frames_processed"]


@pytest.mark.guarantee(
    "A demonstration whose output folder or ROS domain another one uses ends at once with a line that names it.",
    section="Programs",
)
def test_a_demonstration_in_the_same_folder_or_domain_says_what_runs_already(tmp_path, ros_domain, monkeypatch):
    with running(tmp_path / "out") as process:
        begun(process)
        line = refused(tmp_path / "other")
        assert line.startswith(f"demo: ROS domain {ros_domain} is used already by process {process.pid}: ")
        assert f"{tmp_path / 'out'}" in line
        assert not (tmp_path / "other").exists()
        monkeypatch.delenv("ROS_DOMAIN_ID")
        line = refused(tmp_path / "out")
        assert line.startswith(f"demo: {tmp_path / 'out'}: another process {process.pid} is writing there")
        process.terminate()
        output, _ = process.communicate(timeout=START_S)
        assert process.returncode == 0, output
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["emotions"] > 0


@pytest.mark.guarantee(
    "A demonstration in a ROS domain that has one of its nodes already ends at once with a line that names the node.",
    section="Programs",
)
def test_a_demonstration_beside_a_node_of_the_same_name_is_refused(tmp_path, ros_domain):
    node = start("camera_node", "video_device:=synthetic")
    try:
        with contextlib.closing(Probe(node)) as probe:
            probe.wait_for_active("camera_node")
        assert refused(tmp_path / "out").startswith(f"demo: ROS domain {ros_domain} has camera_node already")
    finally:
        node.kill()
        node.communicate()
    assert not (tmp_path / "out").exists()


@pytest.mark.guarantee(
    "A demonstration ends with a line when another process publishes one of its topics.", section="Programs"
)
def test_a_stranger_that_publishes_the_same_topic_ends_the_demonstration(tmp_path):
    with running(tmp_path / "out") as process:
        begun(process)
        with contextlib.closing(Probe(process)) as probe:
            probe.node.create_publisher(Image, "image_raw", 1)
            output, _ = process.communicate(timeout=2 * START_S)
    assert process.returncode == 1, output
    assert "demo: another process publishes /image_raw too, so the results would be mixed" in output.splitlines()


@pytest.fixture
def demo_bag(tmp_path):
    """A copy of the script in a folder of its own; it writes beside the folder that it is in."""
    script = tmp_path / "scripts" / "demo_bag.sh"
    script.parent.mkdir()
    return shutil.copy(ROOT / "scripts" / script.name, script)


def test_labels_that_somebody_has_corrected_are_not_recorded_over(tmp_path, demo_bag):
    labels = tmp_path / "out" / "demo_bag" / "labels.csv"
    labels.parent.mkdir(parents=True)
    labels.write_text("corrected")
    ended = subprocess.run(["bash", demo_bag], capture_output=True, text=True, timeout=REFUSED_S)
    line = "demo-bag: out/demo_bag/labels.csv is not as it was written; move out/demo_bag away to record it again\n"
    assert (ended.returncode, ended.stderr) == (1, line)
    assert labels.read_text() == "corrected"


def test_a_second_demo_bag_says_which_process_records_and_removes_nothing(tmp_path, demo_bag):
    half = tmp_path / "out" / "demo_bag" / "half.mcap"
    half.parent.mkdir(parents=True)
    half.touch()
    with open(tmp_path / "out" / "demo_bag.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print(123, file=lock, flush=True)
        ended = subprocess.run(["bash", demo_bag], capture_output=True, text=True, timeout=REFUSED_S)
    assert (ended.returncode, ended.stderr) == (1, "demo-bag: process 123 is recording into out/demo_bag already\n")
    assert half.exists()


@pytest.mark.guarantee("The end of the terminal ends a demonstration and its nodes.", section="Programs")
def test_the_end_of_the_terminal_ends_the_demonstration_and_its_nodes(tmp_path, ros_domain):
    with running(tmp_path / "out") as process:
        begun(process)
        process.send_signal(signal.SIGHUP)
        output, _ = process.communicate(timeout=START_S)
    assert process.returncode == 0, output
    assert not has_participants(ros_domain)


@pytest.mark.guarantee("A demonstration that is killed takes its nodes with it.", section="Programs")
def test_the_nodes_of_a_demonstration_that_is_killed_end(tmp_path, ros_domain):
    with running(tmp_path / "out") as process:
        begun(process)
        process.kill()
        deadline_s = time.monotonic() + START_S
        while has_participants(ros_domain):
            assert time.monotonic() < deadline_s, "its nodes go on"
            time.sleep(0.1)


@pytest.mark.guarantee(
    "A demonstration that was paused (Ctrl-Z) goes on with its nodes: it does not take its own pause for theirs.",
    section="Programs",
)
def test_a_demonstration_that_was_paused_goes_on_with_its_nodes(tmp_path, ros_domain):
    out = tmp_path / "out"
    with running(out) as process:
        begun(process)
        process.send_signal(signal.SIGSTOP)
        time.sleep(PAUSE_S)
        process.send_signal(signal.SIGCONT)
        begun(process)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=START_S)
    assert process.returncode == 0, output
    assert json.loads((out / "summary.json").read_text())["restarts"] == {}


@pytest.mark.guarantee(
    "A demonstration whose results cannot be written ends with one line that names the file.", section="Programs"
)
def test_a_demonstration_whose_folder_is_removed_meanwhile_ends_with_one_line(tmp_path, ros_domain):
    out = tmp_path / "out"
    with running(out) as process:
        begun(process)
        shutil.rmtree(out)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=START_S)
    assert process.returncode == 1, output
    assert "Traceback" not in output
    (line,) = [line for line in output.splitlines() if line.startswith("demo: ")]
    assert str(out) in line
    assert not has_participants(ros_domain)


@pytest.mark.parametrize("domain", ["abc", "-1", "232", "9" * 5000, "\u0664"])
def test_a_domain_that_is_none_is_one_line(domain, tmp_path):
    assert "is not a number from 0 to 231" in refused(tmp_path / "out", ROS_DOMAIN_ID=domain)


def test_an_empty_domain_is_none(tmp_path):
    with running(tmp_path / "out", "--seconds", "1", ROS_DOMAIN_ID="") as process:
        output, _ = process.communicate(timeout=4 * START_S)
    assert process.returncode == 0, output
    assert not output.startswith("four nodes in ROS domain 0,")


@pytest.mark.guarantee(
    "Malformed messages, and diagnostics whose values are not numbers, end no demonstration.", section="Programs"
)
def test_what_a_neighbor_sends_does_not_end_the_listener(graph):
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

    from emotion_perception.ros.conversions import EmotionArray, FaceArray
    from emotion_perception.ros.demo.result_listener import ResultListener
    from emotion_perception.ros.executor import FaultTolerantExecutor

    listener = ResultListener("listener", context=graph.context)
    executor = FaultTolerantExecutor(listener)
    topics = {"faces": FaceArray, "emotions": EmotionArray, "/diagnostics": DiagnosticArray}
    publishers = {topic: graph.speak(kind, topic) for topic, kind in topics.items()}
    values = [
        KeyValue(key=key, value=value) for key in ("received", "frames_published") for value in ("x" * 9, "9" * 99)
    ]
    for number in range(2000):
        name = f"/{number}" if number % 2 else "/face_detection_node"
        publishers["/diagnostics"].publish(DiagnosticArray(status=[DiagnosticStatus(name=name, values=values)]))
    publishers["emotions"].publish(EmotionArray(status=77))
    for _ in range(20):
        for publisher in publishers.values():
            publisher.publish(Malformed(7, None).cdr())
    publishers["faces"].publish(FaceArray(frames_received=1, frames_processed=1))

    def arrived():
        executor.spin_once(timeout_sec=0.01)
        return listener.face_arrays and executor.faults

    graph.wait(arrived, "nothing arrives any more")
    account = listener.account()
    assert (account["frames_published"], account["frames_lost_in_transport"]) == (1, 0), "received, so published"
    assert listener.counts() == FrameCounts(received=1, processed=1)
    executor.shutdown()
    listener.destroy_node()
