# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.classification.model_bundle import shipped_models
from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.detection.non_face_filter import NonFaceFilter
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ConfigurationError, ModelBundleError, ModelFileError
from emotion_perception.core.pipeline import create_non_face_filter
from emotion_perception.core.types import Box, Face

IMAGE = np.zeros((100, 400, 3), np.uint8)
IMAGE[:, 200:] = 255  # faces are white here


class WhiteIsFace:
    """Says `face` with the share of white in the crop; remembers its batches."""

    model_name = "white"
    labels = ("other", "face")

    def __init__(self, crop_margin=0.0):
        self.spec = ModelSpec(architecture="fake", labels=self.labels, crop_margin=crop_margin)
        self.batches, self.warm = [], False

    def warm_up(self):
        self.warm = True

    def classify(self, crops):
        self.batches.append([crop.shape[:2] for crop in crops])
        shares = np.array([crop.mean() / 255 for crop in crops], np.float32)
        return np.stack((1 - shares, shares), axis=1)


def face(x_min, side=20, score=0.9):
    return Face(box=Box(x_min, 40, x_min + side, 40 + side), score=score)


@pytest.mark.parametrize(("threshold", "expected"), [(0.0, [10, 195, 300]), (0.5, [195, 300]), (0.9, [300])])
def test_what_is_less_probably_a_face_is_refused_and_counted(threshold, expected):
    non_face_filter = NonFaceFilter(WhiteIsFace())
    faces = [face(10), face(195), face(300)]  # no face, three quarters of one, a face
    kept = non_face_filter.filter(IMAGE, faces, threshold=threshold, max_faces=32)
    assert kept == [one for one in faces if one.box.x_min in expected]
    assert non_face_filter.rejected == 3 - len(expected)


def test_outputs_that_are_not_finite_are_an_error_and_not_a_refusal():
    class Damaged(WhiteIsFace):
        def classify(self, crops):
            return super().classify(crops) * np.nan

    non_face_filter = NonFaceFilter(Damaged())
    with pytest.raises(ModelBundleError, match="non_face_filter white: its outputs are not finite"):
        non_face_filter.filter(IMAGE, [face(300)], threshold=0.5, max_faces=32)
    assert non_face_filter.rejected == 0


def test_refusals_add_up():
    non_face_filter = NonFaceFilter(WhiteIsFace())
    for _ in range(3):
        non_face_filter.filter(IMAGE, [face(10), face(50), face(300)], threshold=0.5, max_faces=32)
    assert non_face_filter.rejected == 6


def test_a_refused_detection_takes_no_faces_place():
    non_face_filter = NonFaceFilter(WhiteIsFace())
    faces = [face(10), face(300), face(50), face(350), face(370)]
    assert non_face_filter.filter(IMAGE, faces, threshold=0.5, max_faces=2) == [face(300), face(350)]
    assert non_face_filter.rejected == 2


def test_batches_are_bounded_and_end_with_the_last_face_needed():
    classifier = WhiteIsFace()
    non_face_filter = NonFaceFilter(classifier)
    assert (
        non_face_filter.filter(IMAGE, [face(10)] * 100 + [face(300)] * 300, threshold=0.5, max_faces=30)
        == [face(300)] * 30
    )
    assert max(map(len, classifier.batches)) <= 32
    assert sum(map(len, classifier.batches)) < 150


def test_no_detection_needs_no_network():
    classifier = WhiteIsFace()
    assert NonFaceFilter(classifier).filter(IMAGE, [], threshold=0.5, max_faces=32) == []
    assert classifier.batches == []


@pytest.mark.parametrize(("crop_margin", "side"), [(0.0, 20), (0.25, 30)])
def test_crops_have_the_models_margin(crop_margin, side):
    classifier = WhiteIsFace(crop_margin)
    NonFaceFilter(classifier).filter(IMAGE, [face(300)], threshold=0.5, max_faces=32)
    assert classifier.batches == [[(side, side)]]


def test_without_a_model_there_is_no_filter():
    assert create_non_face_filter(DetectorOptions()) is None


def test_the_model_runs_on_the_cpu_and_is_warm():
    asked = []

    def make(options):
        asked.append(options)
        return WhiteIsFace()

    non_face_filter = create_non_face_filter(
        DetectorOptions(non_face_filter="white", num_threads=3), classifier_factory=make
    )
    assert [(options.model, options.device, options.num_threads) for options in asked] == [("white", "cpu", 3)]
    assert non_face_filter._classifier.warm


def test_a_real_model_refuses_and_accepts(build_model):
    bundle = build_model("gate", labels=("face", "other"), normalization="min_max")
    non_face_filter = create_non_face_filter(DetectorOptions(non_face_filter=str(bundle.weights)))
    noise = np.random.default_rng(3).integers(0, 256, (100, 400, 3), dtype=np.uint8)
    faces = [face(20 * index) for index in range(18)]
    kept = non_face_filter.filter(noise, faces, threshold=0.5, max_faces=32)
    assert 0 < len(kept) < len(faces)
    assert non_face_filter.rejected == len(faces) - len(kept)


@pytest.mark.parametrize(
    ("model", "fault", "line"),
    [
        ({"labels": ("happy", "sad")}, ConfigurationError, "has no label 'face', its labels are happy, sad"),
        ({"labels": ("face", "other"), "outputs": 3}, ModelBundleError, "outputs per face for 2 labels"),
    ],
    ids=["labels", "outputs"],
)
def test_a_model_of_another_kind_is_one_clear_line(build_model, model, fault, line):
    bundle = build_model("gate", **model)
    with pytest.raises(fault, match=line) as caught:
        create_non_face_filter(DetectorOptions(non_face_filter=str(bundle.weights)))
    assert "\n" not in str(caught.value)


def test_a_missing_model_is_one_clear_line():
    with pytest.raises(ModelFileError, match="no model 'doorman'"):
        create_non_face_filter(DetectorOptions(non_face_filter="doorman"))


def test_the_shipped_gate_tells_a_face_from_its_surroundings():
    if "face_gate" not in shipped_models():
        pytest.skip("the model face_gate is not shipped yet")
    try:
        astronaut = cv2.imread(str(resolve_model_file("astronaut")))
    except ModelFileError as e:
        pytest.skip(f"a real face is needed: {e}")
    non_face_filter = create_non_face_filter(DetectorOptions(non_face_filter="face_gate"))
    person = Face(box=Box(184, 62, 269, 175), score=0.9)
    flag, shuttle, helmet = ((0, 0, 90, 110), (360, 100, 470, 260), (290, 350, 490, 512))
    surroundings = [Face(box=Box(*xyxy), score=0.8) for xyxy in (flag, shuttle, helmet)]
    assert non_face_filter.filter(astronaut, [person], threshold=0.5, max_faces=32) == [person]
    kept = non_face_filter.filter(astronaut, surroundings, threshold=0.5, max_faces=32)
    assert len(kept) <= 1, kept
