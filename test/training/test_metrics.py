import numpy as np
import pytest

from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.metrics import Answers, calibration_error, confusion_matrix, measure, summarise

LABELS = ("a", "b", "c", "d")


def answers(rows, truth, labels=LABELS):
    return Answers(np.array(rows, np.float32), np.array(truth, np.int64), labels)


def sure(*columns):
    """Returns rows that give 0.7 to one column and 0.1 to each other."""
    return np.full((len(columns), 4), 0.1) + 0.6 * np.eye(4)[list(columns)]


def pictures(count, **extra):
    return FaceDataset(np.zeros((count, 2, 2), np.uint8), np.zeros(count, np.int64), ("happiness",), **extra)


FIVE = answers(sure(0, 0, 1, 2, 0), [0, 0, 1, 1, 2])


def test_rows_of_the_confusion_are_the_truth():
    assert confusion_matrix(FIVE).tolist() == [[2, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_the_summary_is_what_a_calculation_by_hand_gives():
    figures = summarise(FIVE)
    f1 = (2 * 2 / (2 + 3), 2 * 1 / (2 + 1), 0.0)
    assert figures["n"] == 5
    assert figures["accuracy"] == 0.6
    assert figures["balanced_accuracy"] == pytest.approx((1 + 0.5 + 0) / 3, abs=1e-6)
    assert figures["macro_f1"] == pytest.approx(sum(f1) / 3, abs=1e-6)
    assert figures["ece"] == pytest.approx(abs(0.6 - 0.7), abs=1e-6), "every answer says 0.7, six in ten are right"


def test_top3_counts_the_truth_among_the_three_best():
    rows = [[0.4, 0.3, 0.2, 0.1]] * 4
    assert summarise(answers(rows, [0, 1, 2, 3]))["top3"] == 0.75


def test_two_labels_have_no_third_place():
    assert summarise(answers([[0.9, 0.1], [0.2, 0.8]], [1, 0], ("a", "b")))["top3"] == 1.0


def test_a_calibrated_answer_has_no_calibration_error():
    rows = [[0.75, 0.25]] * 4
    assert calibration_error(answers(rows, [0, 0, 0, 1], ("a", "b"))) == pytest.approx(0, abs=1e-6)


def test_the_report_has_the_keys_that_programs_read():
    report = measure(FIVE, pictures(5))
    assert list(report) == [
        "n",
        "accuracy",
        "accuracy_restricted",
        "balanced_accuracy",
        "macro_f1",
        "top3",
        "ece",
        "per_class",
        "confusion",
        "labels",
        "subsets",
    ]
    assert report["per_class"]["a"] == {"precision": 0.666667, "recall": 1.0, "f1": 0.8, "n": 2}
    assert report["per_class"]["d"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "n": 0}
    assert report["subsets"] == {"whole": summarise(FIVE)}


def test_the_restricted_accuracy_answers_only_with_labels_of_the_set():
    rows = [[0.1, 0.2, 0.3, 0.4], [0.2, 0.1, 0.3, 0.4]]
    report = measure(answers(rows, [1, 0]), pictures(2))
    assert (report["accuracy"], report["accuracy_restricted"]) == (0.0, 1.0)


def test_pictures_that_stand_in_another_split_are_also_left_out():
    report = measure(FIVE, pictures(5, leak=np.array([False, False, False, True, True])))
    assert (report["subsets"]["without_leak"]["n"], report["subsets"]["without_leak"]["accuracy"]) == (3, 1.0)


def test_the_majority_of_the_taggers_is_another_truth():
    votes = np.array([[9, 1, 0], [5, 5, 0], [2, 8, 0], [0, 0, 10], [2, 0, 8]], np.float32) / 10
    data = pictures(5, votes=votes, vote_names=("b", "a", "contempt"))
    majority = measure(FIVE, data)["subsets"]["ferplus_majority"]
    assert majority["n"] == 2, "half is no majority, contempt is no label of the model"
    assert majority["accuracy"] == 0.0, "answers a, b; the taggers said b, a"


def test_nothing_cannot_be_measured():
    with pytest.raises(DatasetError, match="no picture to measure"):
        answers(np.zeros((0, 4)), [])
