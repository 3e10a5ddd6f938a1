"""The nodes as people start them: processes, signals, exit codes, and the whole chain."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.model_files import resolve_model_file

ROOT = Path(__file__).resolve().parents[2]
START_S, END_S = 30.0, 2.0
NODES = ("camera_node", "face_detection_node", "emotion_classifier_node", "overlay_node")


@pytest.fixture
def clip(tmp_path):
    """A second of moving noise as a video file."""
    path = tmp_path / "noise.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
    rng = np.random.default_rng(0)
    for _ in range(30):
        writer.write(rng.integers(0, 255, (48, 64, 3), np.uint8))
    writer.release()
    return path


def arguments(*parameters):
    return ["--ros-args", *(word for parameter in parameters for word in ("-p", parameter))]


def start(node, *parameters):
    command = [sys.executable, ROOT / "scripts" / node, *arguments(*parameters)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")


def run(node, *parameters):
    command = [sys.executable, ROOT / "scripts" / node, *arguments(*parameters)]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=START_S)


def needs_centerface():
    try:
        resolve_model_file("centerface")
    except ModelFileError as e:
        pytest.skip(f"the real detector is needed: {e}")


def wait_for_node(name, process):
    """Waits until a node of that name is active, as its /diagnostics say; fails at once where its process has ended."""
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray
    from rclpy.executors import SingleThreadedExecutor

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
    probe = rclpy.create_node("probe", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(probe)
    states = {}

    def remember(message):
        for entry in message.status:
            states[entry.name] = {value.key: value.value for value in entry.values}.get("state")

    probe.create_subscription(DiagnosticArray, "/diagnostics", remember, 10)
    deadline_s = time.monotonic() + START_S
    while states.get(f"/{name}") != "active":
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline_s, f"{name} did not become active: {states}"
        executor.spin_once(timeout_sec=0.1)
    executor.shutdown()
    probe.destroy_node()
    context.try_shutdown()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("node", NODES)
def test_a_signal_ends_a_node_within_two_seconds_without_noise(node, number, clip):
    if node == "face_detection_node":
        needs_centerface()
    process = start(node, *([f"video_device:={clip}"] if node == "camera_node" else []))
    try:
        wait_for_node(node, process)
        process.send_signal(number)
        output, _ = process.communicate(timeout=END_S)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("node", "parameters", "code", "line"),
    [
        ("camera_node", ["video_device:=/dev/video97"], 1, "/dev/video97"),
        ("camera_node", ["video_device:=/no/such/clip.mp4"], 1, "/no/such/clip.mp4"),
        ("camera_node", ["framerate:=-1.0"], 78, "framerate"),
        ("camera_node", ["framerate:=fast"], 78, "framerate"),
        ("camera_node", ["camera_info_url:=file:///no/such.yaml"], 78, "/no/such.yaml"),
        ("face_detection_node", ["detector:=dog"], 78, "'dog' is none of centerface"),
        ("face_detection_node", ["detector_model:=/no/such.onnx"], 78, "/no/such.onnx"),
        ("emotion_classifier_node", ["model:=/no/such.safetensors"], 78, "/no/such.json: no such file"),
        ("emotion_classifier_node", ["device:=abacus"], 78, "abacus"),
    ],
)
def test_a_fault_at_start_is_one_clear_line_and_an_exit_code(node, parameters, code, line):
    ended = run(node, *parameters)
    output = (ended.stdout + ended.stderr).strip()
    errors = [row for row in output.splitlines() if "WARN" not in row]
    assert ended.returncode == code, output
    assert len(errors) == 1, output
    assert line in errors[0]


def demo(out, *options):
    """Returns the command line of the demonstration on the synthetic camera; skips where a real face is missing."""
    needs_centerface()
    try:
        resolve_model_file("astronaut")
    except ModelFileError as e:
        pytest.skip(f"a picture of a real face is needed: {e}")
    return [sys.executable, "-m", "emotion_perception.ros.demo", "--source", "synthetic", "--out", out, *options]


def test_the_four_nodes_recognise_a_real_face(tmp_path):
    command = demo(tmp_path, "--seconds", "4")
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    accounted = summary["frames_processed"] + summary["frames_dropped"] + summary["frames_failed"]
    assert summary["frames_published"] == summary["frames_received"] == accounted
    assert summary["frames_lost_in_transport"] == summary["frames_failed"] == 0
    assert sum(summary["answers"].values()) == summary["frames_processed"], "one answer for every FaceArray"
    if summary["answers"] == {"ok": summary["frames_processed"]}:  # a busy machine may skip some
        assert summary["emotions"] == summary["faces"]
    assert summary["faces"] >= summary["emotions"] > 10
    with open(tmp_path / "emotions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == summary["emotions"]
    assert max(summary["labels"], key=summary["labels"].get) == "happiness"  # she smiles
    assert cv2.imread(str(tmp_path / "overlay.png")) is not None
    assert cv2.VideoCapture(str(tmp_path / "overlay.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) > 10


def test_ctrl_c_ends_the_demonstration_with_its_results(tmp_path):
    table = tmp_path / "emotions.csv"
    process = subprocess.Popen(demo(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    try:
        deadline_s = time.monotonic() + 2 * START_S
        while not (table.exists() and table.stat().st_size > 1000):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline_s, "no emotions came"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=6 * END_S)  # four nodes, and the video's end
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert json.loads((tmp_path / "summary.json").read_text())["emotions"] > 0


def test_a_demonstration_without_a_camera_is_one_clear_line_and_exit_code_1(tmp_path):
    (tmp_path / "overlay.mp4").write_bytes(b"of an earlier run")
    command = demo(tmp_path, "--source", "/dev/video97")
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert ended.returncode == 1
    assert "no camera at /dev/video97" in ended.stderr
    assert not (tmp_path / "overlay.mp4").exists()
    assert "Traceback" not in ended.stderr


def test_ctrl_c_while_the_nodes_come_up_ends_the_demonstration_too(tmp_path):
    process = subprocess.Popen(demo(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    try:
        first = process.stdout.readline()  # said just before the nodes are started
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=6 * END_S)
    finally:
        process.kill()
    assert "four nodes" in first
    assert process.returncode == 1, output
    assert "stopped before the camera began" in output
    assert "Traceback" not in output
