# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.training.datasets import FaceDataset, vote_targets

LABELS = ("anger", "fear", "sadness")
VOTES = np.array([[0.2, 0.6, 0.2], [0.4, 0.1, 0.5], [0, 0, 1]], np.float32)  # of fear, anger, unknown


def dataset(votes=VOTES):
    images = np.zeros((3, 4, 4), np.uint8)
    names = ("fear", "anger", "unknown")
    return FaceDataset(images=images, labels=np.array([2, 2, 2]), class_names=LABELS, votes=votes, vote_names=names)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("label", [[0, 0, 1], [0, 0, 1], [0, 0, 1]]),
        ("majority", [[1, 0, 0], [0, 0, 1], [0, 0, 1]]),
        ("probability", [[0.75, 0.25, 0], [0.2, 0.8, 0], [0, 0, 1]]),
        ("cross_entropy", [[0.75, 0.25, 0], [0.2, 0.8, 0], [0, 0, 1]]),
    ],
)
def test_targets_are_what_the_taggers_said_or_the_label_where_they_said_nothing(mode, expected):
    targets = vote_targets(dataset(), LABELS, mode)
    assert targets.dtype == np.float32
    assert targets == pytest.approx(np.array(expected))


def test_targets_are_in_the_order_that_is_asked_for():
    targets = vote_targets(dataset(), ("sadness", "surprise", "anger", "fear"), "cross_entropy")
    assert targets[0] == pytest.approx(np.array([0, 0, 0.75, 0.25]))


def test_targets_that_cannot_be_are_refused():
    with pytest.raises(ConfigurationError, match="targets 'votes' are none of label, majority"):
        vote_targets(dataset(), LABELS, "votes")
    with pytest.raises(DatasetError, match="targets 'majority' need votes"):
        vote_targets(dataset(votes=None), LABELS, "majority")
    with pytest.raises(DatasetError, match="no label sadness"):
        vote_targets(dataset(), ("anger", "fear"), "label")
