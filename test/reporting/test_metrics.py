# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from model_predictions import FIVE, predictions

from emotion_perception.core.errors import DatasetError
from emotion_perception.reporting.metrics import (
    brier_score,
    calibration,
    calibration_error,
    confusion_matrix,
    coverage,
    macro_f1,
    per_class,
    reliability,
    restricted_accuracy,
    summarize,
    top_accuracy,
)


def test_rows_of_the_confusion_are_the_truth():
    assert confusion_matrix(FIVE).tolist() == [[2, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_the_summary_is_what_a_calculation_by_hand_gives():
    metrics = summarize(FIVE)
    f1 = (2 * 2 / (2 + 3), 2 * 1 / (2 + 1), 0.0)
    assert metrics["n"] == 5
    assert metrics["accuracy"] == 0.6
    assert metrics["balanced_accuracy"] == pytest.approx((1 + 0.5 + 0) / 3, abs=1e-6)
    assert metrics["macro_f1"] == pytest.approx(sum(f1) / 3, abs=1e-6)
    assert metrics["ece"] == pytest.approx(abs(0.6 - 0.7), abs=1e-6), "each score is 0.7, the accuracy is 0.6"
    correct, wrong = 0.3**2 + 3 * 0.1**2, 0.7**2 + 0.9**2 + 2 * 0.1**2
    assert metrics["brier"] == pytest.approx(0.6 * correct + 0.4 * wrong, abs=1e-6)


def test_top3_counts_the_truth_among_the_three_most_probable():
    rows = [[0.4, 0.3, 0.2, 0.1]] * 4
    assert summarize(predictions(rows, [0, 1, 2, 3]))["top3"] == 0.75


def test_two_labels_have_no_third_place():
    assert summarize(predictions([[0.9, 0.1], [0.2, 0.8]], [1, 0], ("a", "b")))["top3"] == 1.0


@pytest.mark.parametrize(("k", "expected"), [(1, 0.25), (2, 0.5), (3, 0.75), (4, 1.0), (5, 1.0)])
def test_top_k_accuracy_counts_the_truth_among_the_k_most_probable(k, expected):
    assert top_accuracy(predictions([[0.4, 0.3, 0.2, 0.1]] * 4, [0, 1, 2, 3]), k) == expected


@pytest.mark.parametrize(("k", "expected"), [(1, 0.5), (2, 1.0), (3, 1.0)])
@pytest.mark.parametrize("labels", [("a", "b"), ("a", "b", "c")])
def test_few_labels_and_absent_ones_are_accepted(labels, k, expected):
    rows = np.zeros((2, len(labels)))
    rows[:, :2] = [[0.9, 0.1], [0.8, 0.2]]
    given = predictions(rows, [0, 1], labels)
    assert top_accuracy(given, k) == expected
    assert confusion_matrix(given)[:2, :2].tolist() == [[1, 0], [1, 0]]
    assert confusion_matrix(given).shape == (len(labels), len(labels))


def test_a_rate_without_a_denominator_is_0():
    rows = per_class(confusion_matrix(FIVE), FIVE.labels)
    assert rows["a"] == {"precision": 0.666667, "recall": 1.0, "f1": 0.8, "n": 2}
    assert rows["d"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "n": 0}


def test_the_restricted_accuracy_predicts_only_labels_of_the_truth():
    given = predictions([[0.1, 0.2, 0.3, 0.4], [0.2, 0.1, 0.3, 0.4]], [1, 0])
    assert (summarize(given)["accuracy"], restricted_accuracy(given)) == (0.0, 1.0)


def test_a_calibrated_prediction_has_no_calibration_error():
    rows = [[0.75, 0.25]] * 4
    assert calibration_error(predictions(rows, [0, 0, 0, 1], ("a", "b"))) == pytest.approx(0, abs=1e-6)


def test_an_empty_set_is_refused():
    with pytest.raises(DatasetError, match="no image to measure"):
        predictions(np.zeros((0, 4)), [])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([[1, 0]], 0), ([[0, 1]], 2), ([[0.5, 0.5]], 0.5), ([[1, 0], [0.5, 0.5]], 0.25)],
)
def test_the_brier_score_goes_from_0_to_2(rows, expected):
    assert brier_score(predictions(rows, [0] * len(rows), ("a", "b"))) == pytest.approx(expected)


def test_the_macro_f1_of_many_matrices_at_once_is_that_of_each():
    matrices = np.random.default_rng(0).integers(0, 5, (6, 4, 4))
    matrices[0, 2] = 0
    assert macro_f1(matrices).tolist() == pytest.approx([macro_f1(matrix) for matrix in matrices])
    assert macro_f1(confusion_matrix(FIVE)) == pytest.approx(summarize(FIVE)["macro_f1"], abs=1e-6)


def test_the_reliability_bins_hold_every_prediction_once():
    rows = [[0.5, 0.5], [1.0, 0.0], [0.9, 0.1], [0.93, 0.07]]
    bins = reliability(predictions(rows, [0, 0, 1, 0], ("a", "b")))
    assert [row["n"] for row in bins] == [0] * 7 + [1] + [0] * 5 + [2, 1]
    assert bins[13] == {"from": 0.866667, "to": 0.933333, "n": 2, "score": 0.915, "accuracy": 0.5}
    assert (bins[0]["accuracy"], bins[14]["accuracy"]) == (None, 1.0)


def test_the_calibration_error_agrees_with_the_bins():
    rng = np.random.default_rng(0)
    given = predictions(rng.dirichlet(np.ones(4), 200), rng.integers(0, 4, 200))
    bins = [row for row in reliability(given) if row["n"]]
    by_hand = sum(row["n"] * abs(row["score"] - row["accuracy"]) for row in bins) / 200
    assert calibration_error(given) == pytest.approx(by_hand, abs=1e-5)


def test_a_score_of_1_is_in_the_last_bin():
    given = predictions([[1, 0], [0.95, 0.05]], [1, 0], ("a", "b"))
    assert reliability(given)[14]["n"] == 2
    assert calibration_error(given) == pytest.approx(abs(0.5 - 0.975), abs=1e-6)


def with_edges(rng):
    """Returns random predictions, and ones whose score is the edge of a bin; the label d never is the truth.

    The edges 3/15, 6/15 and 7/15 are left out: torchmetrics rounds them up by one float32.
    """
    edges = np.repeat(np.array([5, 8, 9, 10, 11, 12, 13, 14]) / 15, 5)[:, None]
    rows = np.concatenate([rng.dirichlet(np.ones(4), 300), np.hstack([edges, (1 - edges) * [0.4, 0.35, 0.25]])])
    return predictions(rows, rng.integers(0, 3, len(rows)))


@pytest.mark.parametrize("seed", range(5))
def test_the_metrics_equal_those_of_torchmetrics(seed):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tm = pytest.importorskip("torchmetrics.functional.classification", reason="torchmetrics is not installed")
    given = with_edges(np.random.default_rng(seed))
    both = torch.from_numpy(given.probabilities), torch.from_numpy(given.truth)
    assert confusion_matrix(given).tolist() == tm.multiclass_confusion_matrix(*both, num_classes=4).tolist()
    for k in (1, 2, 3):
        top = tm.multiclass_accuracy(*both, num_classes=4, average="micro", top_k=k)
        assert top_accuracy(given, k) == pytest.approx(float(top), abs=1e-6)
    error = tm.multiclass_calibration_error(*both, num_classes=4, n_bins=15, norm="l1")
    assert calibration_error(given) == pytest.approx(float(error), abs=1e-6)


def test_the_calibration_has_values_before_and_after():
    before, after = predictions([[1, 0]] * 2, [0, 1], ("a", "b")), predictions([[0.5, 0.5]] * 2, [0, 1], ("a", "b"))
    metrics = calibration(before, after)
    assert {key: metrics[key] for key in metrics if key != "reliability"} == {
        "ece_before": 0.5,
        "ece_after": 0.0,
        "brier_before": 1.0,
        "brier_after": 0.5,
    }
    assert metrics["reliability"] == {"before": reliability(before), "after": reliability(after)}


def test_the_coverage_is_the_fraction_of_predictions_that_are_not_uncertain():
    rows = [[0.5, 0.5], [0.6, 0.4], [0.8, 0.2], [0.9, 0.1]]
    found = coverage(predictions(rows, [1, 1, 0, 0], ("a", "b")), 0.5)
    assert found["rule"] == {"threshold": 0.5, "coverage": 1.0, "accuracy": 0.5}, "0.5 is not below 0.5"
    curve = {point["threshold"]: (point["coverage"], point["accuracy"]) for point in found["curve"]}
    assert (curve[0.0], curve[0.55], curve[0.65], curve[0.95]) == ((1, 0.5), (0.75, 0.666667), (0.5, 1), (0, None))
