import numpy as np
import pytest

from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.metrics import (
    Answers,
    brier_score,
    calibration,
    calibration_error,
    confusion_matrix,
    coverage,
    macro_f1,
    measure,
    reliability,
    summarise,
)

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
    right, wrong = 0.3**2 + 3 * 0.1**2, 0.7**2 + 0.9**2 + 2 * 0.1**2
    assert figures["brier"] == pytest.approx(0.6 * right + 0.4 * wrong, abs=1e-6)


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
        "brier",
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


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([[1, 0]], 0), ([[0, 1]], 2), ([[0.5, 0.5]], 0.5), ([[1, 0], [0.5, 0.5]], 0.25)],
)
def test_the_brier_score_goes_from_0_to_2(rows, expected):
    assert brier_score(answers(rows, [0] * len(rows), ("a", "b"))) == pytest.approx(expected)


def test_the_macro_f1_of_many_matrices_at_once_is_that_of_each():
    matrices = np.random.default_rng(0).integers(0, 5, (6, 4, 4))
    matrices[0, 2] = 0
    assert macro_f1(matrices).tolist() == pytest.approx([macro_f1(matrix) for matrix in matrices])
    assert macro_f1(confusion_matrix(FIVE)) == pytest.approx(summarise(FIVE)["macro_f1"], abs=1e-6)


def test_the_reliability_bins_hold_every_answer_once():
    rows = [[0.5, 0.5], [1.0, 0.0], [0.9, 0.1], [0.93, 0.07]]
    bins = reliability(answers(rows, [0, 0, 1, 0], ("a", "b")))
    assert [row["n"] for row in bins] == [0] * 7 + [1] + [0] * 5 + [2, 1]
    assert bins[13] == {"from": 0.866667, "to": 0.933333, "n": 2, "score": 0.915, "accuracy": 0.5}
    assert (bins[0]["accuracy"], bins[14]["accuracy"]) == (None, 1.0)


def test_the_calibration_error_is_what_the_bins_say():
    rng = np.random.default_rng(0)
    given = answers(rng.dirichlet(np.ones(4), 200), rng.integers(0, 4, 200))
    bins = [row for row in reliability(given) if row["n"]]
    by_hand = sum(row["n"] * abs(row["score"] - row["accuracy"]) for row in bins) / 200
    assert calibration_error(given) == pytest.approx(by_hand, abs=1e-5)


def test_the_calibration_is_told_before_and_after():
    before, after = answers([[1, 0]] * 2, [0, 1], ("a", "b")), answers([[0.5, 0.5]] * 2, [0, 1], ("a", "b"))
    figures = calibration(before, after)
    assert {key: figures[key] for key in figures if key != "reliability"} == {
        "ece_before": 0.5,
        "ece_after": 0.0,
        "brier_before": 1.0,
        "brier_after": 0.5,
    }
    assert figures["reliability"] == {"before": reliability(before), "after": reliability(after)}


def test_the_coverage_is_the_share_of_answers_that_are_not_uncertain():
    rows = [[0.5, 0.5], [0.6, 0.4], [0.8, 0.2], [0.9, 0.1]]
    found = coverage(answers(rows, [1, 1, 0, 0], ("a", "b")), 0.5)
    assert found["rule"] == {"threshold": 0.5, "coverage": 1.0, "accuracy": 0.5}, "0.5 is not below 0.5"
    curve = {point["threshold"]: (point["coverage"], point["accuracy"]) for point in found["curve"]}
    assert (curve[0.0], curve[0.55], curve[0.65], curve[0.95]) == ((1, 0.5), (0.75, 0.666667), (0.5, 1), (0, None))
