# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""How good a model's answers are, and how far its scores mean what they say."""

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
    """A model's probabilities beside the truth.

    Attributes:
        probabilities: float32 (N, L), N at least 1, rows sum to 1.
        truth: int64 (N), numbers into `labels`.
        labels: label of each column.
    """

    probabilities: NDArray[np.float32]
    truth: NDArray[np.int64]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.truth):
            raise DatasetError("there is no image to measure on")

    def select(self, keep: NDArray[np.bool_]) -> "Predictions":
        """Returns the rows for which `keep`, bool (N), is True."""
        return Predictions(self.probabilities[keep], self.truth[keep], self.labels)

    def scores(self) -> NDArray[np.float64]:
        """Returns the score of each answer, float64 (N)."""
        return self.probabilities.max(axis=1).astype(np.float64)

    def right(self) -> NDArray[np.bool_]:
        """Returns which answers are right, bool (N)."""
        return self.probabilities.argmax(axis=1) == self.truth


def summarize(answers: Predictions) -> dict[str, Any]:
    """Returns n, accuracy, balanced_accuracy, macro_f1, top3, ece and brier.

    Balanced accuracy and macro F1 are means over the classes that the truth holds.
    """
    confusion = confusion_matrix(answers)
    present = confusion.sum(axis=1) > 0
    _, recall, _ = _rates(confusion)
    return {
        "n": len(answers.truth),
        "accuracy": rounded(np.trace(confusion) / confusion.sum()),
        "balanced_accuracy": rounded(recall[present].mean()),
        "macro_f1": rounded(macro_f1(confusion)),
        "top3": rounded(top_accuracy(answers, 3)),
        "ece": rounded(calibration_error(answers)),
        "brier": rounded(brier_score(answers)),
    }


def confusion_matrix(answers: Predictions) -> NDArray[np.int64]:
    """Returns counts (L, L): rows are the truth, columns the answers."""
    answered = answers.probabilities.argmax(axis=1)
    return np.asarray(sk.confusion_matrix(answers.truth, answered, labels=range(len(answers.labels))), np.int64)


def macro_f1(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the mean F1 over the classes that the truth holds, shape (...), of counts (..., L, L)."""
    present = confusion.sum(axis=-1) > 0
    return np.where(present, _rates(confusion)[2], 0).sum(axis=-1) / present.sum(axis=-1)


def per_class(confusion: NDArray[np.int64], labels: Sequence[str]) -> dict[str, dict[str, float | int]]:
    """Returns precision, recall, f1 and n by label; 0 where a rate has no denominator."""
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


def top_accuracy(answers: Predictions, k: int) -> float:
    """Returns the share of images whose truth is among the k best answers, k at least 1."""
    if k == 1:
        return float(answers.right().mean())  # scikit-learn takes no two columns here
    if k >= len(answers.labels):
        return 1.0  # scikit-learn warns of it
    labels = range(len(answers.labels))
    return float(sk.top_k_accuracy_score(answers.truth, answers.probabilities, k=k, labels=labels))


def calibration_error(answers: Predictions) -> float:
    """Returns the expected calibration error over the bins of `reliability` (Naeini et al. 2015): 0 to 1."""
    gaps = np.bincount(_bins(answers), weights=answers.right() - answers.scores())  # n * (accuracy - mean score)
    return float(np.abs(gaps).sum() / len(answers.truth))


def brier_score(answers: Predictions) -> float:
    """Returns the mean squared distance of the probabilities from the truth, summed over the classes: 0 to 2.

    Brier 1950, "Verification of forecasts expressed in terms of probability".
    """
    truth = np.eye(len(answers.labels))[answers.truth]
    return float(((answers.probabilities - truth) ** 2).sum(axis=1).mean())


def calibration(before: Predictions, after: Predictions) -> dict[str, Any]:
    """Returns how far scores are what they say, before and after the temperature: ece, brier and reliability."""
    pair = {"before": before, "after": after}
    return {
        **{f"ece_{when}": rounded(calibration_error(answers)) for when, answers in pair.items()},
        **{f"brier_{when}": rounded(brier_score(answers)) for when, answers in pair.items()},
        "reliability": {when: reliability(answers) for when, answers in pair.items()},
    }


def reliability(answers: Predictions) -> list[dict[str, Any]]:
    """Returns for each bin of scores `from`, `to`, n, mean score and accuracy; None where no answer falls into it."""
    scores, right, bins = answers.scores(), answers.right(), _bins(answers)
    return [
        {
            "from": rounded(k / ECE_BINS),
            "to": rounded((k + 1) / ECE_BINS),
            "n": int((bins == k).sum()),
            "score": _mean(scores[bins == k]),
            "accuracy": _mean(right[bins == k]),
        }
        for k in range(ECE_BINS)
    ]


def coverage(answers: Predictions, min_confidence: float) -> dict[str, Any]:
    """Returns how many answers are left, and how many of those are right, where low scores count as no answer.

    Args:
        answers: single images, so what the node's rule gives without its smoothing over time.
        min_confidence: the node's parameter: an answer whose score is below it is marked uncertain.

    Returns:
        `rule`, the point of the parameter, and `curve`, the points of thresholds from 0 to 0.95; each with
        `threshold`, `coverage` and `accuracy`, None where no answer is left.
    """
    scores, right = answers.scores(), answers.right()

    def point(threshold: float) -> dict[str, Any]:
        kept = scores >= threshold
        return {
            "threshold": rounded(threshold),
            "coverage": rounded(kept.mean()),
            "accuracy": _mean(right[kept]),
        }

    return {"rule": point(min_confidence), "curve": [point(threshold) for threshold in _THRESHOLDS]}


def restricted_accuracy(answers: Predictions) -> float:
    """Returns the accuracy where the model may answer only with labels that the truth holds."""
    absent = np.setdiff1d(np.arange(len(answers.labels)), answers.truth)
    allowed = answers.probabilities.copy()
    allowed[:, absent] = -1
    return rounded((allowed.argmax(axis=1) == answers.truth).mean())


def rounded(value: SupportsFloat) -> float:
    """Returns the value as reports have it: a plain number of six digits."""
    return round(float(value), _DIGITS)


def _bins(answers: Predictions) -> NDArray[np.int64]:
    """Returns the bin of each answer's score, int64 (N) within 0..14; bins are open on the left."""
    return np.clip(np.ceil(answers.scores() * ECE_BINS).astype(np.int64) - 1, 0, ECE_BINS - 1)


def _rates(confusion: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Returns precision, recall and F1, (..., L) each, of counts (..., L, L)."""
    right = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    truth, answered = confusion.sum(axis=-1), confusion.sum(axis=-2)
    f1 = 2 * right / np.maximum(truth + answered, 1)
    return right / np.maximum(answered, 1), right / np.maximum(truth, 1), f1


def _mean(values: NDArray[Any]) -> float | None:
    return rounded(values.mean()) if len(values) else None
