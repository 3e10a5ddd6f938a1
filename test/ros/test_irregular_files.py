# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The programs of the nodes, given a FIFO, a device or a bomb where a file is meant, and folders with bad images."""

import contextlib
import os
import shutil
import struct
import subprocess
import sys

import cv2
import numpy as np
import pytest
from node_processes import ROOT, Probe, run, start

from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.classification.model_bundle import MODELS
from emotion_perception.ros.process import run_process

END_S = 25.0  # for a start and an end; a program that waits for a writer never ends


def aliases():
    """Returns YAML of a kB that stands for a hundred million values."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    return "\n".join(lines)


def model_with(tmp_path, suffix):
    """Copies the shipped model; the file with that suffix becomes a FIFO."""
    for path in MODELS.glob("compact_vgg.*"):
        shutil.copy(path, tmp_path)
    (tmp_path / f"compact_vgg{suffix}").unlink()
    os.mkfifo(tmp_path / f"compact_vgg{suffix}")
    return tmp_path / "compact_vgg.safetensors"


@pytest.mark.guarantee(
    "A FIFO or device where a file is meant is one line and exit code 78 (2 for a parameter file), at once.",
    section="Every node",
)
@pytest.mark.parametrize("suffix", [".json", ".safetensors", ".onnx"])
def test_a_model_file_that_is_a_fifo_ends_the_classifier_with_one_line(ros_domain, tmp_path, suffix):
    ended = run("emotion_classifier_node", f"model:={model_with(tmp_path, suffix)}")
    assert ended.returncode == 78
    assert f"compact_vgg{suffix}: " in ended.stderr
    assert "a FIFO, not a file" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_detector_that_is_a_device_ends_the_node_with_one_line(ros_domain):
    ended = run("face_detection_node", "detector_model:=/dev/zero")
    assert (ended.returncode, "/dev/zero: a device, not a file" in ended.stderr) == (78, True)


@pytest.mark.guarantee(
    "A path that the system refuses (not readable, too long, ...) is one line and exit code 78.", section="Every node"
)
@pytest.mark.parametrize(
    ("program", "parameter"),
    [
        ("emotion_classifier_node", "model"),
        ("face_detection_node", "detector_model"),
        ("bag_player", "bag"),
        ("bag_recorder", "bag"),
    ],
)
def test_a_path_that_is_too_long_ends_a_program_with_one_line(ros_domain, tmp_path, program, parameter):
    path = tmp_path / ("x" * 300) / "file.onnx"
    ended = run(program, f"{parameter}:={path}")
    assert (ended.returncode, ended.stderr.count("\n")) == (78, 1), ended.stderr
    assert "File name too long" in ended.stderr
    assert str(tmp_path) in ended.stderr


@pytest.mark.parametrize("name", ["FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"])
def test_a_transport_profile_that_is_a_fifo_ends_a_node_before_it_is_read(monkeypatch, capsys, tmp_path, name):
    os.mkfifo(tmp_path / "profile.xml")
    monkeypatch.setenv(name, str(tmp_path / "profile.xml"))
    assert run_process(lambda stop: 0, lambda: None, args=[]) == 78
    assert capsys.readouterr().err == f"transport profile {tmp_path / 'profile.xml'}: a FIFO, not a file\n"


@pytest.mark.guarantee(
    "A transport profile that is no XML ends a program with exit code 78: Fast DDS would take its defaults, whose "
    "sockets are open to other machines.",
    section="Every node",
)
def test_a_transport_profile_that_is_no_xml_ends_a_node(monkeypatch, capsys, tmp_path):
    (tmp_path / "profile.xml").write_text("<dds><profiles></dds>")
    monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", str(tmp_path / "profile.xml"))
    assert run_process(lambda stop: 0, lambda: None, args=[]) == 78
    error = f"transport profile {tmp_path / 'profile.xml'}: not XML (mismatched tag: line 1, column 17)\n"
    assert capsys.readouterr().err == error


@pytest.mark.parametrize("content", [None, aliases()], ids=["FIFO", "aliases"])
def test_a_calibration_that_is_no_file_or_a_bomb_ends_the_camera_with_one_line(ros_domain, tmp_path, content):
    path = tmp_path / "camera.yaml"
    os.mkfifo(path) if content is None else path.write_text(content)
    ended = run("camera_node", "video_device:=synthetic", f"camera_info_url:=file://{path}")
    assert (ended.returncode, str(path) in ended.stderr) == (78, True)
    assert "a FIFO, not a file" in ended.stderr or "more than 1,000,000 values" in ended.stderr


@pytest.mark.guarantee(
    "A FIFO or device where a file is meant is one line and exit code 78 (2 for a parameter file), at once.",
    section="Every node",
)
@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "a FIFO, not a file"), ("/dev/zero", "a device, not a file"), (aliases(), "more than 1,000,000 values")],
    ids=["FIFO", "device", "aliases"],
)
def test_a_parameter_file_that_is_no_file_or_a_bomb_is_a_wrong_command_line(ros_domain, tmp_path, content, reason):
    path = tmp_path / "parameters.yaml"
    if content is None:
        os.mkfifo(path)
    elif content.startswith("/dev"):
        path.symlink_to(content)
    else:
        path.write_text(content)
    process = start("overlay_node", options=["--ros-args", "--params-file", str(path)])
    try:
        output, _ = process.communicate(timeout=END_S)
    finally:
        process.kill()
    assert (process.returncode, reason in output) == (2, True)


def huge_bmp():
    """Returns a BMP of a few kB that declares 1600 megapixels."""
    data = bytearray(cv2.imencode(".bmp", np.full((48, 64, 3), 90, np.uint8))[1].tobytes())
    data[18:26] = struct.pack("<ii", 40_000, 40_000)
    return bytes(data)


@pytest.mark.guarantee("Files of a folder that cannot be read are counted in /diagnostics.", section="Camera node")
def test_a_folder_with_half_a_photo_and_a_huge_one_shows_the_others_and_counts(ros_domain, tmp_path):
    jpeg = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8))[1].tobytes()
    (tmp_path / "half.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (tmp_path / "huge.bmp").write_bytes(huge_bmp())
    for name in ("a.png", "b.tif", "c.webp"):
        cv2.imwrite(str(tmp_path / name), np.full((48, 64, 3), 90, np.uint8))
    process = start("camera_node", f"video_device:={tmp_path}")
    try:
        with contextlib.closing(Probe(process)) as probe:
            probe.wait_for_active("camera_node")
            probe.wait(lambda: probe.value("camera_node", "files_skipped") == "2", "the files are not counted")
            published = int(probe.value("camera_node", "frames_published"))
            probe.wait(
                lambda: int(probe.value("camera_node", "frames_published")) > published + 30, "it does not go on"
            )
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=END_S)
    assert output.count("skipped") == 2  # each file once, however often the folder is shown
    assert "OpenCV" not in output.replace("OpenCV's limit", "").replace("OpenCV cannot read it", "")


SMALL_DISK = """
mount -t tmpfs -o size={size}m tmpfs "$1" || exit 99
"$2" "$3" --ros-args -p bag:="$1/bag" -p storage:={storage} -p 'topics:=["image_raw"]'
code=$?
cp -r "$1/bag" "$4"
exit $code
"""


@pytest.mark.guarantee(
    "On a full disk bag_recorder ends with exit code 1 and the number of messages that can be read from the file.",
    section="Programs",
)
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_on_a_full_disk_the_recorder_reports_what_can_be_read(ros_domain, tmp_path, storage):
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("unshare cannot make a namespace here, in which the test mounts a small disk")
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    camera = start("camera_node", "video_device:=synthetic", "image_width:=320", "image_height:=240")
    words = [disk, sys.executable, ROOT / "scripts" / "bag_recorder", copy]
    script = SMALL_DISK.format(size=12, storage=storage)
    recorder = subprocess.Popen(
        ["unshare", "-rm", "sh", "-c", script, "sh", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = recorder.communicate(timeout=4 * END_S)
    finally:
        for process in (recorder, camera):
            process.kill()
        camera.communicate()
    assert recorder.returncode == 1, output
    with Recording(copy) as recording:
        readable = len(list(recording.messages(["/image_raw"])))
    assert readable > 0
    last = output.strip().splitlines()[-1]
    assert f"{disk}/bag: {readable} messages: /image_raw {readable}; lost: /image_raw " in last
    assert "full" in output or "No space left on device" in output
