# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Predictions of a model that are small enough to check by hand."""

import numpy as np

from emotion_perception.reporting.metrics import Predictions

LABELS = ("a", "b", "c", "d")


def predictions(rows, truth, labels=LABELS):
    return Predictions(np.array(rows, np.float32), np.array(truth, np.int64), labels)


def _sure(*columns):
    """Returns rows that give 0.7 to one column and 0.1 to each other."""
    return np.full((len(columns), 4), 0.1) + 0.6 * np.eye(4)[list(columns)]


FIVE = predictions(_sure(0, 0, 1, 2, 0), [0, 0, 1, 1, 2])
