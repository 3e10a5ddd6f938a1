# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest
from yunet_files import write_yunet, yunet_outputs

from emotion_perception.core.detection.factory import add_margin, create_detector, select_faces
from emotion_perception.core.detection.options import DETECTORS, DetectorOptions
from emotion_perception.core.errors import ConfigurationError, ModelFileError
from emotion_perception.core.types import Box, Face


def face(score, side=50):
    return Face(box=Box(0, 0, side, side + 5), score=score)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, [0.9, 0.7, 0.5]),
        ({"score_threshold": 0.6}, [0.9, 0.7]),
        ({"score_threshold": 0.0}, [0.9, 0.7, 0.5, 0.3]),
        ({"max_faces": 1}, [0.9]),
        ({"min_face_px": 40}, [0.9, 0.5]),
        ({"min_face_px": 51}, []),
    ],
)
def test_selection_follows_the_live_parameters(parameters, expected):
    faces = [face(0.5), face(0.9), face(0.3), face(0.7, side=30)]
    assert [chosen.score for chosen in select_faces(faces, DetectorOptions(**parameters))] == expected


@pytest.mark.parametrize(
    ("margin", "box", "expected"),
    [
        (0.0, Box(40, 30, 60, 70), Box(40, 30, 60, 70)),
        (0.1, Box(40, 30, 60, 70), Box(36, 26, 64, 74)),  # of the longer side, on each of the four
        (0.1, Box(40, 30, 49, 38), Box(39, 29, 50, 39)),  # 0.9 pixels, outwards
        (1.0, Box(40, 30, 60, 50), Box(20, 10, 80, 70)),
        (0.25, Box(2, 30, 22, 50), Box(0, 25, 27, 55)),  # clipped
        (1.0, Box(80, 70, 100, 80), Box(60, 50, 100, 80)),
        (0.0, Box(90, 70, 130, 90), Box(90, 70, 100, 80)),
    ],
)
def test_a_margin_widens_a_region_inside_the_image(margin, box, expected):
    (widened,) = add_margin([Face(box=box, score=0.8, track_id=7)], margin, (100, 80))
    assert (widened.box, widened.score, widened.track_id) == (expected, 0.8, 7)


def test_a_region_outside_the_image_is_left_out():
    assert add_margin([Face(box=Box(100, 0, 120, 20), score=0.8)], 0.0, (100, 80)) == []


@pytest.mark.parametrize(("margin", "line"), [(-0.1, "margin -0.1 is below 0"), (1.1, "margin 1.1 is above 1")])
def test_a_margin_is_a_share(margin, line):
    with pytest.raises(ConfigurationError, match=line):
        DetectorOptions(margin=margin)


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_missing_model_file_is_one_clear_line(detector, tmp_path):
    missing = tmp_path / "nothing.onnx"
    with pytest.raises(ModelFileError, match=r"nothing\.onnx") as fault:
        create_detector(DetectorOptions(detector=detector, detector_model=str(missing)))
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda values: values, ""),
        (
            lambda values: values.transpose(0, 2, 1),
            r"its output bbox_8 has the shape \(1, 4, 2880\), expected \(1, 2880",
        ),
        (lambda values: values[0], r"its output bbox_8 has the shape \(2880, 4\), expected \(1, 2880, 4\)"),
        (lambda values: values * np.nan, "the network's outputs are not finite"),
        (lambda values: values + np.float32(np.inf), "the network's outputs are not finite"),
    ],
)
def test_a_network_with_other_outputs_is_one_clear_line_in_the_warm_up(change, problem, tmp_path):
    outputs = yunet_outputs()
    outputs["bbox_8"] = change(outputs["bbox_8"])
    path = write_yunet(tmp_path / "other.onnx", outputs)
    detector = create_detector(DetectorOptions(detector="yunet", detector_model=str(path)))
    if not problem:
        detector.warm_up()
        return
    with pytest.raises(ModelFileError, match=f"other.onnx: {problem}"):
        detector.warm_up()


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("begin", ["~/", "file://~/"])
def test_the_path_of_a_model_may_begin_with_the_home_folder(detector, begin, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ModelFileError, match=str(tmp_path / "nothing.onnx")):
        create_detector(DetectorOptions(detector=detector, detector_model=f"{begin}nothing.onnx"))


@pytest.mark.parametrize("content", [b"", b"\x08\x07\x12\x07pytorch", b"not a model at all", bytes(5000)])
@pytest.mark.parametrize("detector", ["centerface", "yunet", "haar"])
def test_a_file_that_is_no_model_is_one_clear_line(detector, content, tmp_path):
    path = tmp_path / "damaged.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"damaged\.onnx") as fault:
        create_detector(DetectorOptions(detector=detector, detector_model=str(path)))
    assert "\n" not in str(fault.value)


def test_an_opencv_without_the_detector_is_one_clear_line(tmp_path, monkeypatch):
    path = tmp_path / "any.model"
    path.write_bytes(b"any")
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(ConfigurationError, match="has no CascadeClassifier"):
        create_detector(DetectorOptions(detector="haar", detector_model=str(path)))


def test_threads_are_set_once_for_the_process():
    if not hasattr(cv2, "CascadeClassifier"):
        pytest.skip("OpenCV 5 has no cascade")
    before = cv2.getNumThreads()
    try:
        create_detector(DetectorOptions(detector="haar", num_threads=1))
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)


def test_haar_finds_nothing_on_a_blank_image():
    if not hasattr(cv2, "CascadeClassifier"):
        pytest.skip("OpenCV 5 has no cascade")
    assert create_detector(DetectorOptions(detector="haar")).detect(np.full((90, 160, 3), 128, np.uint8)) == []
