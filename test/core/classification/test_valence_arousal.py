# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.classification.valence_arousal import (
    COORDINATES,
    UNKNOWN_VALENCE_AROUSAL,
    WITHIN_STD,
    ValenceArousalTable,
)


def probabilities(**shares):
    return np.array([shares.get(label, 0.0) for label in LABELS], np.float32)


@pytest.mark.parametrize("label", LABELS)
def test_a_sure_label_has_its_coordinates_and_the_spread_among_people(label):
    found = ValenceArousalTable(LABELS).of(probabilities(**{label: 1.0}))
    assert (found.valence, found.arousal) == pytest.approx(COORDINATES[label], abs=1e-6)
    assert (found.valence_std, found.arousal_std) == pytest.approx((WITHIN_STD, WITHIN_STD), abs=1e-6)


def test_the_seven_labels_lie_where_the_circumplex_has_them():
    assert COORDINATES.keys() == set(LABELS)
    valence = {label: valence for label, (valence, _) in COORDINATES.items()}
    arousal = {label: arousal for label, (_, arousal) in COORDINATES.items()}
    assert {label for label in LABELS if valence[label] < 0} == {"anger", "disgust", "fear", "sadness"}
    assert {label for label in LABELS if arousal[label] < 0} == {"sadness"}
    assert COORDINATES["neutral"] == (0.0, 0.0)


@pytest.mark.guarantee(
    "Valence and arousal are the mean of the labels' published coordinates by probability, with the standard "
    "deviation of that mixture.",
    section="Emotion classifier node",
)
def test_a_mixture_has_the_mean_and_the_total_variance():
    shares = {"happiness": 0.5, "anger": 0.25, "neutral": 0.25}
    found = ValenceArousalTable(LABELS).of(probabilities(**shares))
    rng = np.random.default_rng(3)
    drawn = rng.choice(list(shares), 200_000, p=list(shares.values()))
    samples = np.array([COORDINATES[label] for label in drawn]) + rng.normal(0, WITHIN_STD, (len(drawn), 2))
    assert (found.valence, found.arousal) == pytest.approx(samples.mean(axis=0), abs=0.01)
    assert (found.valence_std, found.arousal_std) == pytest.approx(samples.std(axis=0), abs=0.01)


@pytest.mark.guarantee(
    "Without a prediction, and for a model with a label that has no coordinates, valence and arousal are NaN.",
    section="Emotion classifier node",
)
@pytest.mark.parametrize(
    ("labels", "row"),
    [
        (LABELS, []),
        (("face", "other"), [0.5, 0.5]),
        ((*LABELS, "contempt"), [0.125] * 8),
    ],
    ids=["no prediction", "another model", "contempt"],
)
def test_what_has_no_coordinates_is_unknown(labels, row):
    found = ValenceArousalTable(labels).of(np.array(row, np.float32))
    assert found is UNKNOWN_VALENCE_AROUSAL
    assert all(map(math.isnan, found))


def test_rounding_of_probabilities_stays_within_the_range():
    found = ValenceArousalTable(("happiness",)).of(np.array([1.5], np.float32))
    assert found.valence == 1.0
    assert found.valence_std >= 0
