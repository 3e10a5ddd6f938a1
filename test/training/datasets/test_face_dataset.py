# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import FaceDataset

RNG = np.random.default_rng(0)
FACES = RNG.integers(0, 256, (4, 48, 48), dtype=np.uint8)


def dataset(**changes):
    values = {"images": FACES, "labels": np.array([0, 1, 2, 3]), "class_names": LABELS}
    return FaceDataset(**{**values, **changes})


@pytest.mark.parametrize(
    ("splits", "name", "words"),
    [
        (["a", "a", "b", "b"], None, "the dataset has the splits a, b: name one with --split"),
        (["a", "a", "b", "b"], "c", "no split 'c'; the dataset has a, b"),
        (None, "a", "no split 'a': the dataset has no splits"),
    ],
)
def test_the_split_must_be_named_where_there_are_some(splits, name, words):
    with pytest.raises(DatasetError, match=words):
        dataset(splits=splits and np.array(splits)).split(name)


def test_rows_are_selected_in_every_array_at_once():
    data = dataset(splits=np.array(["a", "b", "a", "b"]), leak=np.array([True, False, False, False]))
    assert (data.split("a").labels.tolist(), data.split("a").leak.tolist()) == ([0, 2], [True, False])


def test_a_class_that_the_model_lacks_is_refused_and_can_be_left_out():
    data = dataset(class_names=("anger", "contempt", "happiness", "neutral"))
    with pytest.raises(
        DatasetError, match="the model has no label contempt; leave the images out with --ignore-classes"
    ):
        data.labels_in(LABELS)
    assert data.without_classes(["Contempt"]).labels_in(LABELS).tolist() == [0, 3, 6]
    assert len(data.without_classes(["fear"])) == len(data), "there is none to leave out"
    with pytest.raises(DatasetError, match="'feer' is not an emotion or another label"):
        data.without_classes(["feer"])


def test_a_class_without_images_needs_no_label():
    assert dataset(class_names=(*LABELS, "contempt")).labels_in(LABELS).tolist() == [0, 1, 2, 3]


def test_blank_rejected_and_leaked_images_are_not_trained_on():
    images = FACES.copy()
    images[0] = 128
    data = dataset(
        images=images, leak=np.array([False, True, False, False]), rejected=np.array([False, False, True, False])
    )
    assert data.usable_for_training().labels.tolist() == [3]
