# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Valence and arousal, derived from the probabilities of emotions; no network is trained for them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

COORDINATES = {
    "anger": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "happiness": (0.81, 0.51),
    "sadness": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "neutral": (0.0, 0.0),
}
"""Valence and arousal of labels, -1..1: the mean pleasure and arousal that people gave to the terms angry, disgusted,
fearful, happy, sad and surprised in Russell and Mehrabian 1977, "Evidence for a three-factor theory of emotions",
Journal of Research in Personality 11: 273-294. Neutral is the origin by definition."""

WITHIN_STD = 0.3
"""Standard deviation of valence and of arousal among people who show the same emotion: one round figure for all labels,
of the size of the differences between people in such ratings, and not taken from the study."""


class ValenceArousal(NamedTuple):
    """Valence and arousal of one face; NaN where they are unknown.

    Attributes:
        valence: -1 (unpleasant) to 1 (pleasant).
        arousal: -1 (calm) to 1 (excited).
        valence_std: standard deviation of `valence`.
        arousal_std: standard deviation of `arousal`.
    """

    valence: float = math.nan
    arousal: float = math.nan
    valence_std: float = math.nan
    arousal_std: float = math.nan


UNKNOWN_VALENCE_AROUSAL = ValenceArousal()


class ValenceArousalTable:
    """Mixes the coordinates of a model's labels by their probabilities.

    Args:
        labels: of the model; if one of them has no coordinates, all results are unknown.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._moments: NDArray[np.float64] | None = None
        if all(label in COORDINATES for label in labels):
            means = np.array([COORDINATES[label] for label in labels], np.float64)
            self._moments = np.hstack((means, means**2 + WITHIN_STD**2))  # (L, 4), first and second moments

    def of(self, probabilities: NDArray[np.float32]) -> ValenceArousal:
        """Returns the mean and the standard deviation of the mixture, by the law of total variance.

        The variance is that within a label plus that of the coordinates between the labels.

        Args:
            probabilities: float32 (L) in the order of the labels, sum 1; (0) if unknown.
        """
        if self._moments is None or not len(probabilities):
            return UNKNOWN_VALENCE_AROUSAL
        valence, arousal, valence_square, arousal_square = (probabilities @ self._moments).tolist()
        return ValenceArousal(
            valence=min(max(valence, -1.0), 1.0),
            arousal=min(max(arousal, -1.0), 1.0),
            valence_std=math.sqrt(max(valence_square - valence**2, 0.0)),
            arousal_std=math.sqrt(max(arousal_square - arousal**2, 0.0)),
        )
