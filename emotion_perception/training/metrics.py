"""How good a model's answers are: one flat summary, and the same for the subsets that make sense of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torchmetrics.functional.classification as tm
from numpy.typing import NDArray

from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import FaceDataset

ECE_BINS = 15
_DIGITS = 6
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
    """Returns n, accuracy, balanced_accuracy, macro_f1, top3 and ece.

    Balanced accuracy and macro F1 are means over the classes that the truth holds.
    """
    confusion = confusion_matrix(answers)
    present = confusion.sum(axis=1) > 0
    _, recall, f1 = _rates(confusion)
    return {
        "n": len(answers.truth),
        "accuracy": _rounded(np.trace(confusion) / confusion.sum()),
        "balanced_accuracy": _rounded(recall[present].mean()),
        "macro_f1": _rounded(f1[present].mean()),
        "top3": _rounded(top_accuracy(answers, 3)),
        "ece": _rounded(calibration_error(answers)),
    }


def confusion_matrix(answers: Answers) -> NDArray[np.int64]:
    """Returns counts (L, L): rows are the truth, columns the answers."""
    matrix = tm.multiclass_confusion_matrix(
        torch.from_numpy(answers.probabilities), torch.from_numpy(answers.truth), num_classes=len(answers.labels)
    )
    return np.asarray(matrix.numpy(), np.int64)


def per_class(confusion: NDArray[np.int64], labels: Sequence[str]) -> dict[str, dict[str, float | int]]:
    """Returns precision, recall, f1 and n by label; 0 where a rate has no denominator."""
    precision, recall, f1 = _rates(confusion)
    counts = confusion.sum(axis=1)
    return {
        label: {
            "precision": _rounded(precision[k]),
            "recall": _rounded(recall[k]),
            "f1": _rounded(f1[k]),
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


def restricted_accuracy(answers: Answers) -> float:
    """Returns the accuracy where the model may answer only with labels that the truth holds."""
    absent = np.setdiff1d(np.arange(len(answers.labels)), answers.truth)
    allowed = answers.probabilities.copy()
    allowed[:, absent] = -1
    return _rounded((allowed.argmax(axis=1) == answers.truth).mean())


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
    right = np.diag(confusion).astype(np.float64)
    truth, answered = confusion.sum(axis=1), confusion.sum(axis=0)
    f1 = 2 * right / np.maximum(truth + answered, 1)
    return right / np.maximum(answered, 1), right / np.maximum(truth, 1), f1


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), _DIGITS)
