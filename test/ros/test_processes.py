# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The nodes as people start them: processes, signals, exit codes, and the whole chain."""

import contextlib
import csv
import json
import signal
import socket
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from node_processes import (
    COMPOSED,
    END_S,
    NODES,
    ROOT,
    START_S,
    Probe,
    lines_of,
    needs_detector,
    run,
    start,
    wait_for_node,
)
from real_face import need_real_face
from yunet_files import write_yunet, yunet_outputs


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


@pytest.mark.guarantee(
    "SIGINT, SIGTERM and SIGHUP (the end of the terminal) end the process within two seconds, with exit code 0 and no "
    "traceback.",
    section="Every node",
)
@pytest.mark.guarantee(
    "The composed process ends like a single node, with the same exit codes.", section="All nodes in one process"
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("node", [*NODES, COMPOSED])
def test_a_signal_ends_a_node_within_two_seconds_without_noise(node, number, clip):
    if node in ("face_detection_node", COMPOSED):
        needs_detector()
    process = start(node, *([f"video_device:={clip}"] if node in ("camera_node", COMPOSED) else []))
    try:
        wait_for_node("camera_node" if node == COMPOSED else node, process)
        process.send_signal(number)
        output, _ = process.communicate(timeout=END_S)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert "Traceback" not in output


@pytest.mark.guarantee(
    "A wrong model, hash or value ends the process with one line and exit code 78, without a retry.",
    section="Every node",
)
@pytest.mark.guarantee(
    "The composed process ends like a single node, with the same exit codes.", section="All nodes in one process"
)
@pytest.mark.parametrize(
    ("node", "parameters", "code", "line"),
    [
        ("camera_node", ['video_device:=" "'], 78, "video_device is empty"),
        ("camera_node", ["pixel_format:=MJPEG"], 78, "pixel_format 'MJPEG'"),
        ("camera_node", ["framerate:=-1.0"], 78, "framerate"),
        ("camera_node", ["framerate:=fast"], 78, "framerate"),
        ("camera_node", ["camera_info_url:=file:///no/such.yaml"], 78, "/no/such.yaml"),
        ("face_detection_node", ["detector:=dog"], 78, "'dog' is none of yunet"),
        ("face_detection_node", ["detector_model:=/no/such.onnx"], 78, "/no/such.onnx"),
        ("emotion_classifier_node", ["model:=/no/such.safetensors"], 78, "/no/such.safetensors: no such file"),
        ("emotion_classifier_node", ["device:=abacus"], 78, "abacus"),
        ("emotion_classifier_node", ["publish_hri_cropped:=true"], 78, "publish_hri_cropped is true, but publish_hri"),
        (COMPOSED, ["detector:=dog"], 78, "'dog' is none of yunet"),
        (COMPOSED, ["emotion_classifier_node:model:=/no/such.safetensors"], 78, "/no/such.safetensors: no such file"),
    ],
)
def test_a_fault_at_start_is_one_clear_line_and_an_exit_code(node, parameters, code, line):
    ended = run(node, *parameters)
    output = (ended.stdout + ended.stderr).strip()
    errors = [row for row in lines_of(output) if "WARN" not in row]
    if node == COMPOSED and len(errors) == 2:
        assert "so all nodes of its process end" in errors.pop()
    assert ended.returncode == code, output
    assert len(errors) == 1, output
    assert line in errors[0]


@pytest.mark.guarantee(
    "A wrong model, hash or value ends the process with one line and exit code 78, without a retry.",
    section="Every node",
)
def test_a_detector_with_other_outputs_is_one_clear_line_and_exit_code_78(tmp_path):
    outputs = yunet_outputs()
    outputs["kps_16"] = outputs["kps_16"][:, :, :4]
    path = write_yunet(tmp_path / "other.onnx", outputs)
    ended = run("face_detection_node", f"detector_model:={path}")
    (line,) = lines_of((ended.stdout + ended.stderr).strip())
    assert ended.returncode == 78
    assert "other.onnx: its output kps_16 has the shape (1, 720, 4), expected (1, 720, 10)" in line


@pytest.mark.guarantee(
    "Without its device the node stays up, logs once, reports ERROR and opens the device once it appears.",
    section="Camera node",
)
def test_a_camera_node_waits_for_a_file_that_is_not_there_yet(clip, tmp_path):
    from diagnostic_msgs.msg import DiagnosticStatus

    path = tmp_path / "later.avi"
    process = start("camera_node", f"video_device:={path}")
    try:
        with contextlib.closing(Probe(process)) as probe:
            probe.wait_for_active("camera_node")
            probe.wait(lambda: probe.statuses["/camera_node"].level == DiagnosticStatus.ERROR, "no error")
            assert probe.statuses["/camera_node"].message == f"{path}: no such file or folder"
            first = probe.statuses["/camera_node"]
            probe.wait(lambda: probe.statuses["/camera_node"] is not first, "no second word of it")
            clip.rename(path)
            probe.wait(lambda: int(probe.value("camera_node", "frames_published")) > 5, "no frames")
            assert probe.statuses["/camera_node"].level == DiagnosticStatus.OK
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=END_S)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert output.count(f"{path}: no such file or folder") == 1, output
    assert output.count("not calibrated") == 1, output
    assert "Traceback" not in output


@pytest.mark.parametrize("answers", [True, False], ids=["in reading", "in opening"])
def test_a_camera_node_ends_within_two_seconds_though_its_source_hangs(answers, network_camera):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = network_camera.url if answers else f"http://127.0.0.1:{deaf.getsockname()[1]}/live"
        process = start("camera_node", f"video_device:={url}")
        try:
            with contextlib.closing(Probe(process)) as probe:
                probe.wait_for_active("camera_node")
                if answers:
                    probe.wait(lambda: int(probe.value("camera_node", "frames_published")) > 0, "no frames")
                    network_camera.hold()
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=END_S)
        finally:
            process.kill()
    assert process.returncode == 0, output
    assert "Traceback" not in output


def demo(out, *options):
    """Returns the command line of the demonstration on the synthetic camera; skips where a real face is missing."""
    need_real_face()
    return [sys.executable, "-m", "emotion_perception.ros.demo", "--source", "synthetic", "--out", out, *options]


def test_the_four_nodes_recognize_a_real_face(tmp_path):
    command = demo(tmp_path, "--seconds", "4")
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    accounted = summary["frames_processed"] + summary["frames_dropped"] + summary["frames_failed"]
    assert summary["frames_published"] == summary["frames_received"] == accounted
    assert summary["frames_lost_in_transport"] == summary["frames_failed"] == 0
    assert sum(summary["statuses"].values()) == summary["frames_processed"], "one answer for every FaceArray"
    if summary["statuses"] == {"ok": summary["frames_processed"]}:  # a busy machine may skip some
        assert summary["emotions"] == summary["faces"]
    assert summary["faces"] >= summary["emotions"] > 10
    with open(tmp_path / "emotions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == summary["emotions"]
    assert max(summary["labels"], key=summary["labels"].get) == "happiness"  # she smiles
    assert cv2.imread(str(tmp_path / "overlay.png")) is not None
    video = cv2.VideoCapture(str(tmp_path / "overlay.webm"))
    assert all(video.grab() for _ in range(11))


@pytest.mark.slow
def test_ctrl_c_ends_the_demonstration_with_its_results(tmp_path):
    process = subprocess.Popen(demo(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    try:
        deadline_s = time.monotonic() + 4 * START_S
        while not any(table.stat().st_size > 1000 for table in tmp_path.glob("*/emotions.csv")):  # not published yet
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
    (tmp_path / "overlay.webm").write_bytes(b"of an earlier run")
    (tmp_path / "summary.json").write_text(json.dumps({"frames_published": 1}))
    command = demo(tmp_path, "--source", "/dev/video97")
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert ended.returncode == 1
    assert [row for row in ended.stderr.splitlines() if row.startswith("demo: ")] == ["demo: no camera at /dev/video97"]
    assert not (tmp_path / "overlay.webm").exists()
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
