# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import os
from dataclasses import replace

import pytest

from emotion_perception.core.camera import Calibration, read_calibration, write_calibration
from emotion_perception.core.camera.calibration import MAX_FILE_BYTES
from emotion_perception.core.errors import ConfigurationError

CALIBRATION = Calibration(
    width=640,
    height=480,
    distortion_model="rational_polynomial",
    d=(0.1, -2e-12, 0.0, 1e300, 1 / 3, 0.0, 0.0, 0.0),
    k=(500.0, 0.0, 320.0, 0.0, 501.5, 240.0, 0.0, 0.0, 1.0),
    r=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    p=(500.0, 0.0, 320.0, -35.0, 0.0, 501.5, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0),
)


@pytest.mark.parametrize("name", ["camera", "007", "no", "Kamera ä: 1"])
def test_what_is_written_is_read_again_bit_for_bit(tmp_path, name):
    path = tmp_path / "camera.yaml"
    write_calibration(path, CALIBRATION, name)
    assert read_calibration(path, name) == CALIBRATION


def test_a_matrix_is_written_as_camera_calibration_writes_it(tmp_path):
    path = tmp_path / "camera.yaml"
    write_calibration(path, CALIBRATION, "camera")
    lines = path.read_text().splitlines()
    assert lines[:6] == [
        "image_width: 640",
        "image_height: 480",
        "camera_name: camera",
        "camera_matrix:",
        "  rows: 3",
        "  cols: 3",
    ]
    assert "  cols: 8" in lines[lines.index("distortion_coefficients:") :]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "0x480 is no image size"),
        ({"k": (1.0,) * 8}, "K has 8 values, not 9"),
        ({"p": (float("nan"),) * 12}, "P has a value that is not finite"),
        ({"d": (float("inf"),)}, "D has a value that is not finite"),
        ({"d": (0.0,) * 65}, "D has 65 values, more than 64"),
        ({"distortion_model": "a: b\n"}, "is not a name"),
    ],
)
def test_impossible_values_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(CALIBRATION, **change)


def test_a_pipe_does_not_block_and_a_large_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.yaml").write_text("#" * (MAX_FILE_BYTES + 1))
    for name, message in (("pipe", "a FIFO, not a file"), ("large.yaml", "larger than the limit of 1 MiB")):
        with pytest.raises(OSError, match=message):
            read_calibration(tmp_path / name, "camera")
    with pytest.raises(OSError, match="a folder, not a file"):
        read_calibration(tmp_path, "camera")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it has no keys"),
        ("a: [", "not YAML"),
        ("camera_name: camera", "it lacks image_width, image_height, distortion_model, camera_matrix"),
        ("just words", "it has no keys"),
        ("\xff", "not a camera calibration"),
        ("- 1\n- 2", "it has no keys"),
    ],
)
def test_what_is_no_calibration_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "camera.yaml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=message) as refused:
        read_calibration(path, "camera")
    assert "\n" not in str(refused.value)
