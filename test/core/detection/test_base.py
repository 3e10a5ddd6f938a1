# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.detection.base import (
    MAX_DETECTIONS,
    Candidates,
    FaceDetector,
    faces_of,
    non_maximum_suppression,
    padded_blob,
    with_longer_side,
)
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ImageError
from emotion_perception.core.types import Box


class FakeDetector(FaceDetector):
    """Finds one face in the right half of every image, and remembers what it saw."""

    name = "fake"

    def detect_candidates(self, image_bgr):
        self.seen = image_bgr
        height, width = image_bgr.shape[:2]
        xyxy = np.array([[width / 2, 0, width * 1.5, height]])
        return Candidates(xyxy, np.array([0.8]), np.full((1, 5, 2), [width / 2, height / 2]))


@pytest.mark.parametrize(
    ("wh", "size", "expected"),
    [
        ((640, 360), 320, (320, 180)),
        ((360, 640), 320, (180, 320)),
        ((100, 50), 320, (320, 160)),
        ((640, 360), 0, (640, 360)),
        ((320, 200), 320, (320, 200)),
        ((5000, 3), 320, (320, 1)),
    ],
)
def test_the_working_image_has_the_longer_side_asked_for(wh, size, expected):
    working = with_longer_side(np.zeros((wh[1], wh[0], 3), np.uint8), size)
    assert working.shape[1::-1] == expected


@pytest.mark.parametrize("size", [0, 64, 320, 1000])
def test_regions_come_back_in_source_pixels_and_inside(size):
    detector = FakeDetector(DetectorOptions(detection_size=size))
    (face,) = detector.detect(np.zeros((100, 200, 3), np.uint8))
    assert face.box == Box(100, 0, 200, 100)
    assert face.landmarks.nose == pytest.approx((100, 50))
    assert (face.score, face.track_id) == (0.8, 0)
    assert max(detector.seen.shape[:2]) == (size or 200)


@pytest.mark.parametrize("size", [32, 160, 400])
def test_a_region_comes_back_in_pixels_of_the_whole_image(size):
    detector = FakeDetector(DetectorOptions(detection_size=50))
    (face,) = detector.detect_region(np.zeros((300, 400, 3), np.uint8), Box(100, 40, 180, 120), size)
    assert face.box == Box(140, 40, 180, 120)
    assert face.landmarks.nose == pytest.approx((140, 80))
    assert detector.seen.shape[:2] == (size, size)


def test_a_much_larger_image_is_scaled_to_the_mean_of_its_pixels():
    image = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    quarter = with_longer_side(image, 160)
    means = image.reshape(120, 4, 160, 4, 3).mean(axis=(1, 3))
    assert np.abs(quarter - means).max() <= 1


@pytest.mark.parametrize("rgb", [False, True])
def test_the_input_of_a_network_is_padded_at_the_right_and_bottom(rgb):
    image = np.random.default_rng(1).integers(0, 256, (33, 65, 3), dtype=np.uint8)
    blob = padded_blob(image, 32, rgb=rgb)
    assert (blob.shape, blob.dtype) == ((1, 3, 64, 96), np.float32)
    planes = (image[..., ::-1] if rgb else image).transpose(2, 0, 1)
    np.testing.assert_array_equal(blob[0, :, :33, :65], planes)
    assert not blob[0, :, 33:].any()
    assert not blob[0, :, :, 65:].any()


def test_candidates_outside_are_left_out_and_the_rest_is_sorted():
    xyxy = np.array([[0, 0, 5, 5], [30, 30, 40, 40], [1, 1, 6, 6], [2, 2, 2, 9]], float)
    candidates = Candidates(xyxy, np.array([0.2, 0.9, 1.0000001, 0.5]), np.full((4, 5, 2), np.nan))
    assert [(face.box, face.score) for face in faces_of(candidates, (20, 20), (20, 20))] == [
        (Box(1, 1, 6, 6), 1.0),
        (Box(0, 0, 5, 5), 0.2),
    ]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((0, 10, 3), np.uint8),
        np.zeros((10, 10, 3), np.float32),
    ],
)
def test_what_is_no_bgr_image_is_refused(image):
    with pytest.raises(ImageError, match="uint8 of shape"):
        FakeDetector(DetectorOptions()).detect(image)


BOXES = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 5, 5], [50, 50, 60, 60]], float)


@pytest.mark.parametrize(
    ("threshold", "over_smaller", "expected"),
    [(0.3, False, [1, 3, 2]), (0.9, False, [1, 3, 0, 2]), (0.15, False, [1, 3]), (0.7, True, [1, 3])],
)
def test_suppression_keeps_the_best_of_boxes_that_overlap(threshold, over_smaller, expected):
    scores = np.array([0.6, 0.9, 0.5, 0.7])
    assert non_maximum_suppression(BOXES, scores, threshold, over_smaller=over_smaller).tolist() == expected


def test_suppression_of_nothing_is_nothing():
    assert non_maximum_suppression(np.empty((0, 4)), np.empty(0), 0.3).tolist() == []


def test_the_number_of_detections_is_bounded():
    count = 2000
    xyxy, scores = np.tile([0.0, 0, 9, 9], (count, 1)), np.linspace(0, 1, count)
    faces = faces_of(Candidates(xyxy, scores, np.full((count, 5, 2), np.nan)), (9, 9), (9, 9))
    assert len(faces) == MAX_DETECTIONS
    assert min(face.score for face in faces) == pytest.approx(scores[-MAX_DETECTIONS])


def test_an_image_that_keeps_its_size_has_at_most_4096_pixels_along_its_longer_side():
    detector = FakeDetector(DetectorOptions(detection_size=0))
    detector.detect(np.zeros((10, 8192, 3), np.uint8))
    assert detector.seen.shape == (5, 4096, 3)
