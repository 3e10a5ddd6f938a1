# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""How good a model is on a data set: one flat summary, and the same for the subsets that make sense of it."""

from typing import Any

import numpy as np

from emotion_perception.reporting.metrics import (
    Predictions,
    confusion_matrix,
    per_class,
    restricted_accuracy,
    summarize,
)
from emotion_perception.training.datasets import FaceDataset

_MAJORITY = 0.5  # a class that more than half of the taggers chose


def measure(answers: Predictions, data: FaceDataset) -> dict[str, Any]:
    """Returns all figures of report.json that come from the answers, fractions rounded to six digits.

    Args:
        answers: one row for each image of `data`.
        data: the images' flags and votes decide which subsets there are.
    """
    confusion = confusion_matrix(answers)
    figures = summarize(answers)
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


def subsets(answers: Predictions, data: FaceDataset) -> dict[str, dict[str, Any]]:
    """Returns the summary of each subset that applies.

    `whole`; `without_leak`, images that stand in no other split; `ferplus_majority`, images for which more than
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
            found["ferplus_majority"] = Predictions(answers.probabilities[agreed], winners, answers.labels)
    return {name: summarize(subset) for name, subset in found.items()}
