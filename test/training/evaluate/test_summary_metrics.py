# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
from model_predictions import FIVE, predictions

from emotion_perception.reporting.metrics import summarize
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.evaluate.summary_metrics import measure


def images(count, **extra):
    return FaceDataset(np.zeros((count, 2, 2), np.uint8), np.zeros(count, np.int64), ("happiness",), **extra)


def test_the_report_has_the_keys_that_programs_read():
    report = measure(FIVE, images(5))
    assert list(report) == [
        "n",
        "accuracy",
        "accuracy_restricted",
        "balanced_accuracy",
        "macro_f1",
        "top3",
        "ece",
        "brier",
        "per_class",
        "confusion",
        "labels",
        "subsets",
    ]
    assert report["per_class"]["a"] == {"precision": 0.666667, "recall": 1.0, "f1": 0.8, "n": 2}
    assert report["per_class"]["d"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "n": 0}
    assert report["subsets"] == {"whole": summarize(FIVE)}


def test_the_restricted_accuracy_answers_only_with_labels_of_the_set():
    rows = [[0.1, 0.2, 0.3, 0.4], [0.2, 0.1, 0.3, 0.4]]
    report = measure(predictions(rows, [1, 0]), images(2))
    assert (report["accuracy"], report["accuracy_restricted"]) == (0.0, 1.0)


def test_images_that_stand_in_another_split_are_also_left_out():
    report = measure(FIVE, images(5, leak=np.array([False, False, False, True, True])))
    assert (report["subsets"]["without_leak"]["n"], report["subsets"]["without_leak"]["accuracy"]) == (3, 1.0)


def test_the_majority_of_the_taggers_is_another_truth():
    votes = np.array([[9, 1, 0], [5, 5, 0], [2, 8, 0], [0, 0, 10], [2, 0, 8]], np.float32) / 10
    data = images(5, votes=votes, vote_names=("b", "a", "contempt"))
    majority = measure(FIVE, data)["subsets"]["ferplus_majority"]
    assert majority["n"] == 2, "half is no majority, contempt is no label of the model"
    assert majority["accuracy"] == 0.0, "answers a, b; the taggers said b, a"
