# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.classification.labels import LABELS, Emotion, canonical_label
from emotion_perception.core.errors import DatasetError


def test_the_order_is_that_of_fer2013():
    assert LABELS == ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


@pytest.mark.parametrize(
    ("name", "label"),
    [("anger", "anger"), ("Angry", "anger"), (" HAPPY ", "happiness"), ("ne", "neutral"), ("Contempt", "contempt")],
)
def test_spellings_of_data_sets_become_this_packages_labels(name, label):
    assert canonical_label(name) == label


def test_every_label_is_its_own_spelling():
    assert [canonical_label(label) for label in LABELS] == list(LABELS)


@pytest.mark.parametrize("name", ["", "bored", "0"])
def test_an_unknown_emotion_is_refused_by_name(name):
    with pytest.raises(DatasetError, match=f"'{name}' is not an emotion"):
        canonical_label(name)


def test_an_emotion_prints_as_its_label():
    assert f"{Emotion.HAPPINESS}" == "happiness"
