# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faces that no detector finds again. Files that set-up has not fetched are skipped, with the reason."""

import functools
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.detection.factory import create_detector
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.rendering.anonymize import FaceAnonymizer, anonymize_faces, anonymize_image
from emotion_perception.core.rendering.options import ANONYMIZERS
from emotion_perception.core.types import Box, Face

ROOT = Path(__file__).resolve().parents[3]
SHARED = next((path for path in (ROOT / "shared/data", ROOT.parent / "shared/data") if path.is_dir()), None)
HIDING = [mode for mode in ANONYMIZERS if mode != "none"]
DETECTORS = ["yunet", "centerface", "haar"]
SURE = 0.35  # the detection node's default threshold


def fetched(name):
    try:
        return resolve_model_file(name)
    except ModelFileError as error:
        pytest.skip(str(error))


def astronaut(scale=1.0):
    image = cv2.imread(str(fetched("astronaut")))
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


@functools.cache
def detector_of(name):
    if name == "haar" and not hasattr(cv2, "CascadeClassifier"):
        pytest.skip("OpenCV 5 has no cascade")
    try:
        return create_detector(DetectorOptions(detector=name))
    except ModelFileError as error:
        pytest.skip(str(error))


def found(image, name="yunet", threshold=SURE):
    return [face for face in detector_of(name).detect(image) if face.score >= threshold]


def noise(height=80, width=120):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.guarantee("With `anonymize`, no detector finds a face in the overlay.", section="Overlay node")
@pytest.mark.parametrize("scale", [0.15, 0.25, 0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("mode", HIDING)
def test_a_detector_no_longer_fires_whatever_the_size_of_the_face(mode, scale):
    image = astronaut(scale)
    boxes = [face.box for face in found(image)]
    assert boxes
    hidden = anonymize_faces(image, boxes, mode)
    assert found(hidden) == []
    for name in DETECTORS:
        unsure = found(hidden, name, threshold=0.2)
        assert [face for face in unsure if any(contains(box, face.box.center_xy) for box in boxes)] == [], name


@pytest.mark.parametrize("scale", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("mode", HIDING)
def test_five_faces_are_hidden_as_well_as_one(mode, scale):
    if SHARED is None:
        pytest.skip("../shared/data is absent")
    image = cv2.resize(cv2.imread(str(SHARED / "media/multi_face.jpg")), None, fx=scale, fy=scale)
    boxes = [face.box for face in found(image)]
    assert len(boxes) == 5
    assert found(anonymize_faces(image, boxes, mode)) == []


@pytest.mark.parametrize("crop", [np.s_[:, :], np.s_[30:230, 130:320], np.s_[60:190, 172:276], np.s_[:, 224:]])
@pytest.mark.parametrize("mode", HIDING)
def test_a_image_that_is_hidden_whole_shows_no_face_of_any_size(mode, crop):
    assert found(anonymize_image(np.ascontiguousarray(astronaut()[crop]), mode), threshold=0.2) == []


@pytest.mark.parametrize("mode", ANONYMIZERS)
def test_the_image_outside_the_faces_and_the_input_stay_as_they_are(mode):
    image = noise()
    before = image.copy()
    hidden = anonymize_faces(image, [Box(40, 30, 60, 50)], mode)
    assert hidden is not image
    np.testing.assert_array_equal(image, before)
    margin = np.zeros((80, 120), bool)
    margin[23:57, 33:67] = True  # 0.35 of 20 pixels on each side
    changed = (hidden != image).any(axis=2)
    assert not changed[~margin].any()
    assert changed[30:50, 40:60].mean() == pytest.approx(0 if mode == "none" else 1, abs=0.02)
    assert changed[margin].mean() == pytest.approx(0 if mode == "none" else 1, abs=0.02)


@pytest.mark.parametrize(
    "box",
    [
        (-15, -15, 20, 20),
        (100, 60, 140, 100),
        (-500, 10, 700, 60),
        (119, 79, 120, 80),
        (500, 500, 600, 600),
        (0, 0, 2**33, 2**33),
    ],
)
@pytest.mark.parametrize("mode", HIDING)
def test_a_face_partly_outside_the_image_is_no_fault(mode, box):
    image = noise()
    changed = (anonymize_faces(image, [Box(*box)], mode) != image).any(axis=2)
    inside = changed[max(box[1], 0) : box[3], max(box[0], 0) : box[2]]
    assert inside.size == 0 or inside.mean() > 0.95


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (5, 7), (3, 2000)])
@pytest.mark.parametrize("mode", HIDING)
def test_a_image_of_any_shape_is_no_fault(mode, shape):
    image = noise(*shape)
    assert anonymize_image(image, mode).shape == image.shape
    assert anonymize_faces(image, [Box(0, 0, 1, 1)], mode).shape == image.shape


def test_a_hidden_face_keeps_next_to_nothing():
    image = noise(400, 400)
    left = {mode: anonymize_faces(image, [Box(100, 100, 300, 300)], mode)[100:300, 100:300] for mode in HIDING}
    assert len(np.unique(left["fill"])) == 1
    assert len(np.unique(left["pixelate"].reshape(-1, 3), axis=0)) <= 16
    assert np.abs(np.diff(left["blur"].astype(int), axis=0)).max() <= 1


class TestFaceHider:
    FACE = Face(Box(40, 30, 60, 50), 0.9, track_id=3)

    def changed(self, hider, faces, stamp_s, mode="fill"):
        image = noise()
        return (hider.hide(image, faces, stamp_s, mode) != image).any(axis=2)

    def test_a_image_whose_faces_are_unknown_is_hidden_whole(self):
        assert self.changed(FaceAnonymizer(), None, 1.0).mean() > 0.95

    @pytest.mark.guarantee(
        "With `anonymize`, an image is hidden as a whole where a face has no pixel in it: the regions are those of "
        "another image then, e.g. of another size.",
        section="Overlay node",
    )
    def test_an_image_that_the_faces_are_not_in_is_hidden_whole(self):
        outside = Face(Box(2**32 - 70, 10, 2**32, 60), 0.9, track_id=4)
        assert self.changed(FaceAnonymizer(), [self.FACE, outside], 1.0).mean() > 0.95
        assert FaceAnonymizer().hide(image := noise(), [outside], 1.0, "none") is image

    def test_a_image_of_nobody_stays(self):
        assert not self.changed(FaceAnonymizer(), [], 1.0).any()

    @pytest.mark.parametrize(("stamp_s", "hidden"), [(1.1, True), (2.0, True), (2.1, False), (0.9, False)])
    def test_a_face_that_the_detector_misses_stays_hidden_for_a_second(self, stamp_s, hidden):
        hider = FaceAnonymizer()
        assert self.changed(hider, [self.FACE], 1.0)[40, 50]
        assert self.changed(hider, [], 1.05)[40, 50]
        assert self.changed(hider, [], stamp_s)[40, 50] == hidden

    def test_below_1_hz_it_stays_hidden_for_one_frame(self):
        hider = FaceAnonymizer()
        hidden = [
            self.changed(hider, faces, stamp_s)[40, 50] for stamp_s, faces in ((0, [self.FACE]), (5, []), (10, []))
        ]
        assert hidden == [True, True, False]

    def test_a_face_that_moves_is_hidden_only_where_it_is(self):
        hider = FaceAnonymizer()
        self.changed(hider, [self.FACE], 1.0)
        changed = self.changed(hider, [Face(Box(90, 30, 110, 50), 0.9, track_id=3)], 1.1)
        assert changed[40, 100]
        assert not changed[40, 50]

    def test_nothing_is_hidden_or_copied_where_nothing_is_to_be(self):
        image = noise()
        assert FaceAnonymizer().hide(image, None, 1.0, "none") is image


def contains(box, xy):
    return box.x_min <= xy[0] < box.x_max and box.y_min <= xy[1] < box.y_max


@pytest.mark.parametrize("mode", ["blur", "pixelate", "fill"])
def test_faces_that_cover_the_image_many_times_hide_it_as_a_whole(mode):
    image = np.random.default_rng(3).integers(0, 255, (48, 64, 3), np.uint8)
    boxes = [Box(0, 0, 63, 47)] * 9
    assert np.array_equal(anonymize_faces(image, boxes, mode), anonymize_image(image, mode))


def test_an_image_is_hidden_as_a_whole_where_too_many_faces_are_missing(monkeypatch):
    monkeypatch.setattr("emotion_perception.core.rendering.anonymize._MAX_HELD", 3)
    image = np.random.default_rng(3).integers(0, 255, (48, 64, 3), np.uint8)
    anonymizer, whole = FaceAnonymizer(), anonymize_image(image, "fill")
    faces = [Face(Box(0, 0, 4, 4), 0.9, track_id=track_id) for track_id in range(1, 6)]
    hidden = [anonymizer.hide(image, [face], 5.0, "fill") for face in faces]
    assert [np.array_equal(one, whole) for one in hidden] == [False, False, False, False, True]
