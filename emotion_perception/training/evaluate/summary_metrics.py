# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Metrics of a model on a dataset and on its subsets."""

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

_MAJORITY = 0.5  # more than this fraction of the taggers chose the class


def measure(predictions: Predictions, data: FaceDataset) -> dict[str, Any]:
    """Returns the metrics of report.json that depend on the predictions, rounded to six digits.

    Args:
        predictions: one row for each image of `data`.
        data: its flags and votes give the subsets.
    """
    confusion = confusion_matrix(predictions)
    metrics = summarize(predictions)
    restricted = restricted_accuracy(predictions)
    return {
        "n": metrics.pop("n"),
        "accuracy": metrics.pop("accuracy"),
        "accuracy_restricted": restricted,
        **metrics,
        "per_class": per_class(confusion, predictions.labels),
        "confusion": confusion.tolist(),
        "labels": list(predictions.labels),
        "subsets": subsets(predictions, data),
    }


def subsets(predictions: Predictions, data: FaceDataset) -> dict[str, dict[str, Any]]:
    """Returns the metrics of each subset that the dataset has.

    * `whole`: all images.
    * `without_leak`: images that are in no other split.
    * `ferplus_majority`: images for which more than half of the FER+ taggers agreed on a label of the model, measured
      against that label.
    """
    found = {"whole": predictions}
    if data.leak is not None and not data.leak.all():
        found["without_leak"] = predictions.select(~data.leak)
    if data.votes is not None:
        columns = {name: column for column, name in enumerate(data.vote_names)}
        order = [columns[label] for label in predictions.labels if label in columns]
        known = np.array([k for k, label in enumerate(predictions.labels) if label in columns], np.int64)
        shares = data.votes[:, order]  # (N, labels that were voted on)
        agreed = shares.max(axis=1, initial=0) > _MAJORITY
        if agreed.any():
            winners = known[shares[agreed].argmax(axis=1)]
            found["ferplus_majority"] = Predictions(predictions.probabilities[agreed], winners, predictions.labels)
    return {name: summarize(subset) for name, subset in found.items()}
