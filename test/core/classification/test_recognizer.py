# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

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
    resting_head = None

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


class DazzledClassifier(BrightnessClassifier):
    """Has no finite output for a crop that is all white."""

    def classify(self, crops):
        rows = super().classify(crops)
        rows[rows[:, 0] == 1] = np.nan
        return rows


def test_a_face_without_a_finite_output_is_not_classified_and_leaves_its_track_alone():
    recognizer = EmotionRecognizer(DazzledClassifier())
    (new,) = recognize(recognizer, [face(120, 160)])
    assert (new.label, new.score, new.uncertain, new.classified) == ("", 0.0, True, False)
    (before,) = recognize(recognizer, [face(10, 50)], 0.1, smoothing_s=1.0)
    (dazzled, other) = recognize(recognizer, [face(120, 160), face(10, 50, 2)], 0.2, smoothing_s=1.0)
    assert (dazzled.label, dazzled.score, dazzled.classified) == ("dark", before.score, False)
    assert dazzled.prediction_age_s == pytest.approx(0.1)
    assert other.classified
    assert recognizer.outputs_rejected == 2
    (after,) = recognize(recognizer, [face(10, 50)], 0.3, smoothing_s=1.0)
    assert after.smoothed_probabilities.tolist() == [0.0, 1.0]


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


class CountingClassifier(BrightnessClassifier):
    """Takes a tenth of a second for each crop, and remembers the sizes of the batches."""

    def __init__(self):
        self.batches, self.now_s = [], 0.0

    def classify(self, crops):
        self.batches.append(len(crops))
        self.now_s += 0.1 * len(crops)
        return super().classify(crops)


def crowd(count):
    return [face(10, 20 + number, number + 1) for number in range(count)]


def test_many_faces_are_cropped_and_classified_in_small_batches():
    classifier = CountingClassifier()
    answers = recognize(EmotionRecognizer(classifier), crowd(50))
    assert classifier.batches == [16, 16, 16, 2]
    assert [answer.face.track_id for answer in answers] == list(range(1, 51))


def test_the_largest_faces_are_classified_where_there_are_more_than_allowed():
    answers = recognize(EmotionRecognizer(BrightnessClassifier()), crowd(40), max_faces=5)
    assert [answer.face.track_id for answer in answers] == [36, 37, 38, 39, 40]


@pytest.mark.parametrize(("time_limit_s", "count"), [(0.0, 16), (1.5, 16), (1.7, 32), (99.0, 50)])
def test_no_batch_is_begun_after_the_time_limit(time_limit_s, count):
    classifier = CountingClassifier()
    recognizer = EmotionRecognizer(classifier, clock_s=lambda: classifier.now_s)
    answers = recognizer.recognize(IMAGE, crowd(50), 0.0, RecognizerOptions(), time_limit_s=time_limit_s)
    assert [answer.face.track_id for answer in answers] == list(range(1, 51))
    assert [answer.classified for answer in answers] == [False] * (50 - count) + [True] * count, "the largest first"


@pytest.mark.guarantee(
    "A face that was not classified in an image has its last smoothed prediction and the age of it.",
    section="Emotion classifier node",
)
def test_a_face_whose_turn_it_is_not_has_its_last_prediction_and_its_age():
    recognizer, options = EmotionRecognizer(BrightnessClassifier()), RecognizerOptions(smoothing_s=10.0)
    dark, bright = face(10, 50, 1), face(120, 160, 2)

    def answer(stamp_s, *shown):
        return recognizer.recognize(IMAGE, shown, stamp_s, options, max_classified=1)

    first, none = answer(0.0, dark, bright)
    assert (first.label, first.prediction_age_s, first.classified) == ("dark", 0.0, True)
    assert (none.label, none.score, none.uncertain) == ("", 0.0, True)
    assert (len(none.probabilities), len(none.smoothed_probabilities)) == (0, 0)
    assert math.isnan(none.prediction_age_s)
    old, new = answer(0.5, dark, bright)
    assert (old.label, old.score, old.uncertain, len(old.probabilities)) == ("dark", 1.0, False, 0)
    assert old.smoothed_probabilities.tolist() == first.smoothed_probabilities.tolist()
    assert old.prediction_age_s == pytest.approx(0.5)
    assert (new.label, new.prediction_age_s) == ("bright", 0.0)
    old, new = answer(0.6, bright, dark)
    assert [(one.label, one.classified) for one in (old, new)] == [("bright", False), ("dark", True)]
    (back,) = answer(0.1, bright)
    assert back.classified, "a stamp that goes backwards forgets the tracks"
