# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.classification.recognizer import EmotionRecognizer
from emotion_perception.core.detection.non_face_filter import NonFaceFilter
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.people import CameraModel
from emotion_perception.core.pipeline import Pipeline, PipelineOptions
from emotion_perception.core.types import Box, Face

IMAGE = np.full((60, 120, 3), 200, np.uint8)
IMAGE[:, 60:] = 0


class TwoFaces:
    name = "two"

    def detect(self, image_bgr):
        return [Face(box=Box(70, 10, 110, 50), score=0.9), Face(box=Box(10, 10, 50, 50), score=0.8)]

    def detect_region(self, image_bgr, region, size):
        return self.detect(image_bgr)


class Bright:
    """Says its first label of what is bright."""

    model_name = "bright"
    resting_head = None

    def __init__(self, *labels):
        self.labels = labels
        self.spec = ModelSpec(architecture="fake", labels=labels, crop_margin=0.0)

    def classify(self, crops):
        first = np.array([float(crop.mean() > 100) for crop in crops], np.float32)
        return np.stack((first, 1 - first), axis=1)


@pytest.mark.parametrize(
    ("non_face_filter", "expected"),
    [(None, [(1, "sad"), (2, "glad")]), (NonFaceFilter(Bright("face", "other")), [(1, "glad")])],
    ids=["no filter", "filtered"],
)
def test_an_image_goes_through_all_stages(non_face_filter, expected):
    recognizer = EmotionRecognizer(Bright("glad", "sad"))
    parts = {"detector": TwoFaces(), "non_face_filter": non_face_filter, "recognizer": recognizer}
    pipeline = Pipeline(PipelineOptions(), **parts)
    for step in range(3):
        assert [(seen.face.track_id, seen.label) for seen in pipeline.process(IMAGE, step / 10)] == expected
    assert pipeline.tracking.rejected == (0 if non_face_filter is None else 3)


def test_faces_have_positions_where_the_images_fit_the_camera():
    pipeline = Pipeline(PipelineOptions(), detector=TwoFaces(), recognizer=EmotionRecognizer(Bright("glad", "sad")))
    for image_wh, known in (((0, 0), True), ((120, 60), True), ((640, 480), False)):
        pipeline.camera = CameraModel(100.0, 100.0, 60.0, 30.0, image_wh)
        assert [seen.face.position.known for seen in pipeline.process(IMAGE, 0.0)] == [known, known]


def test_the_parameters_margin_widens_what_is_classified():
    pipeline = Pipeline(
        PipelineOptions(detector=DetectorOptions(margin=0.1)),
        detector=TwoFaces(),
        recognizer=EmotionRecognizer(Bright("glad", "sad")),
    )
    boxes = [seen.face.box for seen in pipeline.process(IMAGE, 0.0)]
    assert boxes == [Box(66, 6, 114, 54), Box(6, 6, 54, 54)]


def test_a_missing_model_of_the_filter_is_one_clear_line():
    with pytest.raises(ModelFileError, match="no model 'doorman'"):
        Pipeline(PipelineOptions(detector=DetectorOptions(non_face_filter="doorman")), detector=TwoFaces())
