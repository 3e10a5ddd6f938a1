# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Classification and calibration metrics of a model's predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from emotion_perception.core.errors import DatasetError

ECE_BINS = 15
_DIGITS = 6
_THRESHOLDS = tuple(k / 20 for k in range(20))  # of the coverage curve


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predicted probabilities and true labels.

    Attributes:
        probabilities: float32 (N, L), N at least 1, rows sum to 1.
        truth: int64 (N), index of the true label in `labels`.
        labels: label of each column.

    Raises:
        DatasetError: N is 0.
    """

    probabilities: NDArray[np.float32]
    truth: NDArray[np.int64]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.truth):
            raise DatasetError("no image to measure on")

    def select(self, keep: NDArray[np.bool_]) -> "Predictions":
        """Returns the rows for which `keep`, bool (N), is True."""
        return Predictions(self.probabilities[keep], self.truth[keep], self.labels)

    def scores(self) -> NDArray[np.float64]:
        """Returns the highest probability of each row, float64 (N)."""
        return self.probabilities.max(axis=1).astype(np.float64)

    def correct(self) -> NDArray[np.bool_]:
        """Returns whether each prediction equals the true label, bool (N)."""
        return self.probabilities.argmax(axis=1) == self.truth


def summarize(predictions: Predictions) -> dict[str, Any]:
    """Returns n, accuracy, balanced_accuracy, macro_f1, top3, ece and brier.

    Balanced accuracy and macro F1 are means over the classes that occur in the true labels.
    """
    confusion = confusion_matrix(predictions)
    present = confusion.sum(axis=1) > 0
    _, recall, _ = _rates(confusion)
    return {
        "n": len(predictions.truth),
        "accuracy": rounded(np.trace(confusion) / confusion.sum()),
        "balanced_accuracy": rounded(recall[present].mean()),
        "macro_f1": rounded(macro_f1(confusion)),
        "top3": rounded(top_accuracy(predictions, 3)),
        "ece": rounded(calibration_error(predictions)),
        "brier": rounded(brier_score(predictions)),
    }


def confusion_matrix(predictions: Predictions) -> NDArray[np.int64]:
    """Returns the confusion matrix, counts (L, L): rows are true labels, columns predicted ones."""
    predicted = predictions.probabilities.argmax(axis=1)
    return np.asarray(
        sk.confusion_matrix(predictions.truth, predicted, labels=range(len(predictions.labels))), np.int64
    )


def macro_f1(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the mean F1 over the classes that occur in the true labels, (...), of confusion matrices (..., L, L)."""
    present = confusion.sum(axis=-1) > 0
    return np.where(present, _rates(confusion)[2], 0).sum(axis=-1) / present.sum(axis=-1)


def per_class(confusion: NDArray[np.int64], labels: Sequence[str]) -> dict[str, dict[str, float | int]]:
    """Returns precision, recall, f1 and n of each label; a rate without a denominator is 0."""
    precision, recall, f1 = _rates(confusion)
    counts = confusion.sum(axis=1)
    return {
        label: {
            "precision": rounded(precision[k]),
            "recall": rounded(recall[k]),
            "f1": rounded(f1[k]),
            "n": int(counts[k]),
        }
        for k, label in enumerate(labels)
    }


def top_accuracy(predictions: Predictions, k: int) -> float:
    """Returns the fraction of images whose true label is among the k most probable ones, k at least 1."""
    if k == 1:
        return float(predictions.correct().mean())  # scikit-learn refuses k = 1 with two columns
    if k >= len(predictions.labels):
        return 1.0  # scikit-learn warns about it
    labels = range(len(predictions.labels))
    return float(sk.top_k_accuracy_score(predictions.truth, predictions.probabilities, k=k, labels=labels))


def calibration_error(predictions: Predictions) -> float:
    """Returns the expected calibration error over the bins of `reliability` (Naeini et al. 2015): 0 to 1."""
    surpluses = predictions.correct() - predictions.scores()
    gaps = np.bincount(_bins(predictions), weights=surpluses)  # n * (accuracy - mean score)
    return float(np.abs(gaps).sum() / len(predictions.truth))


def brier_score(predictions: Predictions) -> float:
    """Returns the mean squared error of the probabilities against the one-hot truth, summed over classes: 0 to 2.

    Brier 1950, "Verification of forecasts expressed in terms of probability".
    """
    truth = np.eye(len(predictions.labels))[predictions.truth]
    return float(((predictions.probabilities - truth) ** 2).sum(axis=1).mean())


def calibration(before: Predictions, after: Predictions) -> dict[str, Any]:
    """Returns ece, brier and reliability bins before and after temperature scaling."""
    pair = {"before": before, "after": after}
    return {
        **{f"ece_{when}": rounded(calibration_error(predictions)) for when, predictions in pair.items()},
        **{f"brier_{when}": rounded(brier_score(predictions)) for when, predictions in pair.items()},
        "reliability": {when: reliability(predictions) for when, predictions in pair.items()},
    }


def reliability(predictions: Predictions) -> list[dict[str, Any]]:
    """Returns the bins of a reliability diagram.

    Each bin has `from`, `to`, `n`, mean `score` and `accuracy`; score and accuracy of an empty bin are None.
    """
    scores, correct, bins = predictions.scores(), predictions.correct(), _bins(predictions)
    return [
        {
            "from": rounded(k / ECE_BINS),
            "to": rounded((k + 1) / ECE_BINS),
            "n": int((bins == k).sum()),
            "score": _mean(scores[bins == k]),
            "accuracy": _mean(correct[bins == k]),
        }
        for k in range(ECE_BINS)
    ]


def coverage(predictions: Predictions, min_confidence: float) -> dict[str, Any]:
    """Returns coverage and accuracy of selective prediction: predictions below a threshold are left out.

    Args:
        predictions: of single images, without the node's smoothing over time.
        min_confidence: threshold of the classifier node; a prediction below it is marked uncertain.

    Returns:
        `rule`, the point at `min_confidence`, and `curve`, the points at thresholds from 0 to 0.95. A point has
        `threshold`, `coverage` (fraction of predictions kept) and `accuracy` of those, None where none is kept.
    """
    scores, correct = predictions.scores(), predictions.correct()

    def point(threshold: float) -> dict[str, Any]:
        kept = scores >= threshold
        return {
            "threshold": rounded(threshold),
            "coverage": rounded(kept.mean()),
            "accuracy": _mean(correct[kept]),
        }

    return {"rule": point(min_confidence), "curve": [point(threshold) for threshold in _THRESHOLDS]}


def restricted_accuracy(predictions: Predictions) -> float:
    """Returns the accuracy when only labels that occur in the true labels may be predicted."""
    absent = np.setdiff1d(np.arange(len(predictions.labels)), predictions.truth)
    allowed = predictions.probabilities.copy()
    allowed[:, absent] = -1
    return rounded((allowed.argmax(axis=1) == predictions.truth).mean())


def rounded(value: SupportsFloat) -> float:
    """Returns a plain float, rounded to the six digits that reports have."""
    return round(float(value), _DIGITS)


def _bins(predictions: Predictions) -> NDArray[np.int64]:
    """Returns the bin of each score, int64 (N) within 0..14; bins are open on the left."""
    return np.clip(np.ceil(predictions.scores() * ECE_BINS).astype(np.int64) - 1, 0, ECE_BINS - 1)


def _rates(confusion: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Returns precision, recall and F1, (..., L) each, of confusion matrices (..., L, L)."""
    correct = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    truth, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    f1 = 2 * correct / np.maximum(truth + predicted, 1)
    return correct / np.maximum(predicted, 1), correct / np.maximum(truth, 1), f1


def _mean(values: NDArray[Any]) -> float | None:
    return rounded(values.mean()) if len(values) else None
