"""How good a model's answers are: one flat summary, and the same for the subsets that make sense of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

import numpy as np
import torch
import torchmetrics.functional.classification as tm
from numpy.typing import NDArray

from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import FaceDataset

ECE_BINS = 15
_DIGITS = 6
_THRESHOLDS = tuple(k / 20 for k in range(20))  # of the coverage curve
_MAJORITY = 0.5  # a class that more than half of the taggers chose


@dataclass(frozen=True, eq=False)
class Answers:
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
            raise DatasetError("there is no picture to measure on")

    def select(self, keep: NDArray[np.bool_]) -> "Answers":
        """Returns the rows for which `keep`, bool (N), is True."""
        return Answers(self.probabilities[keep], self.truth[keep], self.labels)

    def scores(self) -> NDArray[np.float64]:
        """Returns the score of each answer, float64 (N)."""
        return self.probabilities.max(axis=1).astype(np.float64)

    def right(self) -> NDArray[np.bool_]:
        """Returns which answers are right, bool (N)."""
        return self.probabilities.argmax(axis=1) == self.truth


def measure(answers: Answers, data: FaceDataset) -> dict[str, Any]:
    """Returns all figures of report.json that come from the answers, fractions rounded to six digits.

    Args:
        answers: one row for each picture of `data`.
        data: the pictures' flags and votes decide which subsets there are.
    """
    confusion = confusion_matrix(answers)
    figures = summarise(answers)
    restricted = restricted_accuracy(answers)
    return {
        "n": figures.pop("n"),
        "accuracy": figures.pop("accuracy"),
        "accuracy_restricted": restricted,
        **figures,
        "per_class": per_class(confusion, answers.labels),
        "confusion": confusion.tolist(),
        "labels": list(answers.labels),
        "subsets": subsets(answers, data),
    }


def summarise(answers: Answers) -> dict[str, Any]:
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


def confusion_matrix(answers: Answers) -> NDArray[np.int64]:
    """Returns counts (L, L): rows are the truth, columns the answers."""
    matrix = tm.multiclass_confusion_matrix(
        torch.from_numpy(answers.probabilities), torch.from_numpy(answers.truth), num_classes=len(answers.labels)
    )
    return np.asarray(matrix.numpy(), np.int64)


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


def top_accuracy(answers: Answers, k: int) -> float:
    """Returns the share of pictures whose truth is among the k best answers."""
    return float(
        tm.multiclass_accuracy(
            torch.from_numpy(answers.probabilities),
            torch.from_numpy(answers.truth),
            num_classes=len(answers.labels),
            average="micro",
            top_k=min(k, len(answers.labels)),
        )
    )


def calibration_error(answers: Answers) -> float:
    """Returns the expected calibration error over 15 bins of equal width (Naeini et al. 2015)."""
    return float(
        tm.multiclass_calibration_error(
            torch.from_numpy(answers.probabilities),
            torch.from_numpy(answers.truth),
            num_classes=len(answers.labels),
            n_bins=ECE_BINS,
            norm="l1",
        )
    )


def brier_score(answers: Answers) -> float:
    """Returns the mean squared distance of the probabilities from the truth, summed over the classes: 0 to 2.

    Brier 1950, "Verification of forecasts expressed in terms of probability".
    """
    truth = np.eye(len(answers.labels))[answers.truth]
    return float(((answers.probabilities - truth) ** 2).sum(axis=1).mean())


def calibration(before: Answers, after: Answers) -> dict[str, Any]:
    """Returns how far scores are what they say, before and after the temperature: ece, brier and reliability."""
    pair = {"before": before, "after": after}
    return {
        **{f"ece_{when}": rounded(calibration_error(answers)) for when, answers in pair.items()},
        **{f"brier_{when}": rounded(brier_score(answers)) for when, answers in pair.items()},
        "reliability": {when: reliability(answers) for when, answers in pair.items()},
    }


def reliability(answers: Answers) -> list[dict[str, Any]]:
    """Returns for each bin of scores `from`, `to`, n, mean score and accuracy; None where no answer falls into it."""
    scores, right = answers.scores(), answers.right()
    bins = np.clip(np.ceil(scores * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)  # bins are open on the left
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


def coverage(answers: Answers, uncertain_below: float) -> dict[str, Any]:
    """Returns how many answers are left, and how many of those are right, where low scores count as no answer.

    Args:
        answers: single pictures, so what the node's rule gives without its smoothing over time.
        uncertain_below: the node's parameter: an answer whose score is below it is marked uncertain.

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

    return {"rule": point(uncertain_below), "curve": [point(threshold) for threshold in _THRESHOLDS]}


def restricted_accuracy(answers: Answers) -> float:
    """Returns the accuracy where the model may answer only with labels that the truth holds."""
    absent = np.setdiff1d(np.arange(len(answers.labels)), answers.truth)
    allowed = answers.probabilities.copy()
    allowed[:, absent] = -1
    return rounded((allowed.argmax(axis=1) == answers.truth).mean())


def subsets(answers: Answers, data: FaceDataset) -> dict[str, dict[str, Any]]:
    """Returns the summary of each subset that applies.

    `whole`; `without_leak`, pictures that stand in no other split; `ferplus_majority`, pictures for which more than
    half of the FER+ taggers agreed on a label of the model, measured against *their* label.
    """
    found = {"whole": answers}
    if data.leak is not None and not data.leak.all():
        found["without_leak"] = answers.select(~data.leak)
    if data.votes is not None:
        columns = {name: column for column, name in enumerate(data.vote_names)}
        order = [columns[label] for label in answers.labels if label in columns]
        known = np.array([k for k, label in enumerate(answers.labels) if label in columns], np.int64)
        shares = data.votes[:, order]  # (N, labels that were voted on)
        agreed = shares.max(axis=1, initial=0) > _MAJORITY
        if agreed.any():
            winners = known[shares[agreed].argmax(axis=1)]
            found["ferplus_majority"] = Answers(answers.probabilities[agreed], winners, answers.labels)
    return {name: summarise(subset) for name, subset in found.items()}


def _rates(confusion: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Returns precision, recall and F1, (..., L) each, of counts (..., L, L)."""
    right = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    truth, answered = confusion.sum(axis=-1), confusion.sum(axis=-2)
    f1 = 2 * right / np.maximum(truth + answered, 1)
    return right / np.maximum(answered, 1), right / np.maximum(truth, 1), f1


def _mean(values: NDArray[Any]) -> float | None:
    return rounded(values.mean()) if len(values) else None


def rounded(value: SupportsFloat) -> float:
    """Returns the value as reports have it: a plain number of six digits."""
    return round(float(value), _DIGITS)
