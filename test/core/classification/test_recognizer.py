# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.classification.options import RecognizerOptions
from emotion_perception.core.classification.recognizer import EmotionRecognizer
from emotion_perception.core.types import Box, Face

LABELS = ("bright", "dark")
IMAGE = np.zeros((100, 200, 3), np.uint8)
IMAGE[:, 100:] = 255


class BrightnessClassifier:
    """Says `bright` with the share of white in the crop."""

    spec = ModelSpec(architecture="fake", labels=LABELS, crop_margin=0.0)

    def classify(self, crops):
        shares = np.array([crop.mean() / 255 for crop in crops], np.float32).reshape(-1)
        return np.stack((shares, 1 - shares), axis=1)


def recognize(recognizer, faces, stamp_s=0.0, image=IMAGE, **options):
    values = {"smoothing_s": 0.0, "min_confidence": 0.6, "label_hysteresis": 0.0, **options}
    return recognizer.recognize(image, faces, stamp_s, RecognizerOptions(**values))


def face(x_min, x_max, track_id=1):
    return Face(Box(x_min, 10, x_max, 10 + x_max - x_min), 0.9, track_id=track_id)


def test_each_face_gets_its_own_answer_in_order():
    answers = recognize(EmotionRecognizer(BrightnessClassifier()), [face(10, 50, 1), face(120, 160, 2)])
    assert [(a.face.track_id, a.label, a.score) for a in answers] == [(1, "dark", 1.0), (2, "bright", 1.0)]


def test_a_face_outside_its_image_is_left_out_and_counted():
    recognizer = EmotionRecognizer(BrightnessClassifier())
    answers = recognize(recognizer, [face(500, 540, 1), face(120, 160, 2)])
    assert [answer.face.track_id for answer in answers] == [2]
    assert recognizer.regions_rejected == 1


@pytest.mark.parametrize(("min_confidence", "uncertain"), [(0.4, False), (0.9, True)])
def test_a_low_score_is_marked_uncertain(min_confidence, uncertain):
    half_in_the_light = face(80, 120)
    (answer,) = recognize(EmotionRecognizer(BrightnessClassifier()), [half_in_the_light], min_confidence=min_confidence)
    assert answer.score == pytest.approx(0.5, abs=0.05)
    assert answer.uncertain is uncertain


def test_label_and_score_are_those_of_the_smoothed_probabilities():
    recognizer = EmotionRecognizer(BrightnessClassifier())
    recognize(recognizer, [face(10, 50)], 0.0, smoothing_s=10.0)
    (answer,) = recognize(recognizer, [face(120, 160)], 0.1, smoothing_s=10.0)
    assert answer.probabilities.tolist() == [1.0, 0.0]
    assert answer.label == "dark"
    assert answer.score == pytest.approx(answer.smoothed_probabilities[1])


def test_no_face_needs_no_image():
    assert recognize(EmotionRecognizer(BrightnessClassifier()), [], image=None) == []
