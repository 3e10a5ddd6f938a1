# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""YuNet; its results are compared with those of OpenCV's own decoder."""

import cv2
import numpy as np
import pytest

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.detection.base import non_maximum_suppression
from emotion_perception.core.detection.factory import select_faces
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.detection.yunet import YuNetDetector, brightened, decode, network_input, scaled
from emotion_perception.core.errors import ModelFileError


def fetched(name):
    try:
        return resolve_model_file(name)
    except ModelFileError as error:
        pytest.skip(str(error))


def maps(rows, columns):
    """Returns the outputs of an empty image of that many cells of 32 pixels."""
    empty = {}
    for stride in (8, 16, 32):
        cells = rows * columns * (32 // stride) ** 2
        for kind, values in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            empty[f"{kind}_{stride}"] = np.zeros((cells, values), np.float32)
    return empty


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_a_cell_is_decoded_in_pixels(stride):
    outputs = maps(rows=2, columns=3)
    columns = 3 * 32 // stride
    cell = columns + 2  # row 1, column 2
    outputs[f"cls_{stride}"][cell], outputs[f"obj_{stride}"][cell] = 0.9, 0.4
    outputs[f"bbox_{stride}"][cell] = (0.5, 0.25, np.log(2), np.log(3))
    outputs[f"kps_{stride}"][cell] = np.arange(10) / 10
    xyxy, scores, points_xy = decode(outputs, 3 * 32)
    np.testing.assert_allclose(scores, [0.6], rtol=1e-6)
    np.testing.assert_allclose(xyxy / stride, [[1.5, -0.25, 3.5, 2.75]], rtol=1e-6)
    np.testing.assert_allclose(points_xy[0, 2] / stride, [2.4, 1.5], rtol=1e-6)


def test_an_image_without_a_face_has_no_candidate():
    xyxy, scores, points_xy = decode(maps(rows=1, columns=2), 64)
    assert (xyxy.shape, scores.shape, points_xy.shape) == ((0, 4), (0,), (0, 5, 2))


def test_a_class_score_counts_as_at_most_1():
    outputs = maps(rows=1, columns=1)
    outputs["cls_8"][3], outputs["obj_8"][3] = 1.5, 0.81
    np.testing.assert_allclose(decode(outputs, 32)[1], [0.9])


@pytest.mark.parametrize("value", [100.0, 1e38, -1e38])
def test_a_cell_of_any_finite_outputs_is_decoded_to_finite_pixels_without_a_warning(value):
    outputs = maps(rows=1, columns=1)
    for stride in (8, 16, 32):
        outputs[f"cls_{stride}"][:], outputs[f"obj_{stride}"][:] = 1, 1
        outputs[f"bbox_{stride}"][:] = value
        outputs[f"kps_{stride}"][:] = value
    xyxy, _, points_xy = decode(outputs, 32)
    assert np.abs(xyxy).max() <= 2e6
    assert np.abs(points_xy).max() <= 1e6
    assert len(non_maximum_suppression(xyxy, np.ones(len(xyxy)), 0.3)) > 0


@pytest.mark.parametrize(("level", "expected"), [(0, 0), (1, 110), (19, 110), (59, 110), (60, None), (200, None)])
def test_only_a_dark_image_is_brightened(level, expected):
    bright = brightened(np.full((4, 6, 3), level, np.uint8))
    assert bright is None if expected is None else (bright == expected).all()


@pytest.mark.guarantee(
    "YuNet finds a face in a twentieth of the light, and a lit face before a dark background.",
    section="Face detection node",
)
@pytest.mark.parametrize("scene", ["dim", "lit face"])
def test_a_face_in_the_dark_is_found(scene):
    detector = YuNetDetector(DetectorOptions(detector="yunet"), fetched("yunet"))
    image = cv2.imread(str(fetched("astronaut")))
    if scene == "dim":
        image = np.rint(image * 0.05).astype(np.uint8)
    else:
        dark = np.full((480, 640, 3), 3, np.uint8)
        dark[100:260, 200:320] = image[50:210, 165:285]
        image = dark
    (face,) = select_faces(detector.detect(image), DetectorOptions())
    assert face.score > 0.7


def test_the_input_is_padded_to_a_multiple_of_32():
    blob = network_input(np.full((33, 64, 3), (1, 2, 3), np.uint8))
    assert (blob.shape, blob.dtype) == ((1, 3, 64, 64), np.float32)
    np.testing.assert_array_equal(blob[0, :, 32, 63], [1, 2, 3])
    assert not blob[0, :, 33:].any()


def test_a_box_is_scaled_about_its_center():
    np.testing.assert_allclose(scaled(np.array([[10.0, 20.0, 30.0, 60.0]], np.float32), 0.5), [[15, 30, 25, 50]])


@pytest.mark.parametrize("wh", [(320, 240), (333, 217), (64, 64), (512, 512)])
def test_faces_are_those_of_opencv(wh):
    if not hasattr(cv2, "FaceDetectorYN"):
        pytest.skip(f"OpenCV {cv2.__version__} has no FaceDetectorYN to compare with")
    path = fetched("yunet")
    image = cv2.resize(cv2.imread(str(fetched("astronaut"))), wh)
    expected = cv2.FaceDetectorYN.create(str(path), "", wh, 0.3, 0.3, 5000).detect(image)[1]
    found = YuNetDetector(DetectorOptions(detector="yunet"), path).detect_candidates(image)
    assert len(expected) == len(found.scores) >= 1
    rows = expected[np.argsort(-expected[:, 14])]
    np.testing.assert_allclose(found.scores, rows[:, 14], atol=1e-4)
    boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
    np.testing.assert_allclose(found.xyxy, scaled(boxes, 0.92), atol=0.01)
    np.testing.assert_allclose(found.landmarks_xy.reshape(-1, 10), rows[:, 4:14], atol=0.01)


def test_an_eye_is_no_face_of_its_own():
    clip = cv2.VideoCapture(str(fetched("demo_clip")))
    for _ in range(100):
        assert clip.grab()
    _, image = clip.retrieve()
    detector = YuNetDetector(DetectorOptions(), fetched("yunet"))
    assert len(select_faces(detector.detect(image), DetectorOptions())) == 1
