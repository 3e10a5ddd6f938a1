# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""YuNet; its results are compared with those of OpenCV's own decoder."""

import cv2
import numpy as np
import pytest

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.detection.yunet import YuNetDetector, decode, network_input
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
    found = decode(outputs, 3 * 32)
    np.testing.assert_allclose(found.scores, [0.6], rtol=1e-6)
    np.testing.assert_allclose(found.xyxy / stride, [[1.5, -0.25, 3.5, 2.75]], rtol=1e-6)
    np.testing.assert_allclose(found.landmarks_xy[0, 2] / stride, [2.4, 1.5], rtol=1e-6)


def test_an_empty_image_and_overlaps():
    outputs = maps(rows=1, columns=1)
    assert len(decode(outputs, 32).scores) == 0
    outputs["cls_8"][:2], outputs["obj_8"][:2] = 1.5, [[0.81], [0.64]]  # a class score is at most 1
    outputs["bbox_8"][:2, 2:] = np.log(4)
    np.testing.assert_allclose(decode(outputs, 32).scores, [0.9])


def test_the_input_is_padded_to_a_multiple_of_32():
    blob = network_input(np.full((33, 64, 3), (1, 2, 3), np.uint8))
    assert (blob.shape, blob.dtype) == ((1, 3, 64, 64), np.float32)
    np.testing.assert_array_equal(blob[0, :, 32, 63], [1, 2, 3])
    assert not blob[0, :, 33:].any()


@pytest.mark.parametrize("wh", [(320, 240), (333, 217), (64, 64), (512, 512)])
@pytest.mark.parametrize("brightness", [1.0, 0.3])
def test_faces_are_those_of_opencv(wh, brightness):
    if not hasattr(cv2, "FaceDetectorYN"):
        pytest.skip(f"OpenCV {cv2.__version__} has no FaceDetectorYN to compare with")
    path = fetched("yunet")
    image = cv2.resize(cv2.imread(str(fetched("astronaut"))), wh)
    image = cv2.convertScaleAbs(image, alpha=brightness)
    expected = cv2.FaceDetectorYN.create(str(path), "", wh, 0.3, 0.3, 5000).detect(image)[1]
    found = YuNetDetector(DetectorOptions(detector="yunet"), path).detect_candidates(image)
    assert len(expected) == len(found.scores) >= 1
    rows = expected[np.argsort(-expected[:, 14])]
    np.testing.assert_allclose(found.scores, rows[:, 14], atol=1e-4)
    np.testing.assert_allclose(found.xyxy[:, :2], rows[:, :2], atol=0.01)
    np.testing.assert_allclose(found.xyxy[:, 2:] - found.xyxy[:, :2], rows[:, 2:4], atol=0.01)
    np.testing.assert_allclose(found.landmarks_xy.reshape(-1, 10), rows[:, 4:14], atol=0.01)
