# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import FaceDataset, sequences, subject_folds

CLASSES = ("anger", "fear", "sadness")


def dataset(count=60, per_subject=3, **changes):
    values = {
        "images": np.zeros((count, 4, 4), np.uint8),
        "labels": np.arange(count) // per_subject % 3,
        "class_names": CLASSES,
        "subjects": np.array([f"S{k // per_subject}" for k in range(count)]),
    }
    return FaceDataset(**{**values, **changes})


@pytest.mark.parametrize("changes", [{}, {"subjects": None}], ids=["subjects", "no subjects"])
def test_every_row_is_in_one_fold_and_the_classes_are_shared_out(changes):
    data = dataset(**changes)
    folds = subject_folds(data, 4, 1)
    assert sorted(np.concatenate(folds).tolist()) == list(range(60))
    for fold in folds:
        assert np.bincount(data.labels[fold], minlength=3).min() >= 3


def test_no_subject_is_in_two_folds():
    data = dataset(subjects=np.array([f"S{k}" for k in np.random.default_rng(0).integers(0, 12, 60)]))
    seen = [set(data.subjects[fold].tolist()) for fold in subject_folds(data, 5, 1)]
    assert sum(map(len, seen)) == len(set.union(*seen))


def test_the_seed_alone_decides():
    first, again, other = (np.concatenate(subject_folds(dataset(), 4, seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_a_rare_class_is_in_some_folds_only():
    labels = np.zeros(60, int)
    labels[:3] = 1
    assert len(subject_folds(dataset(labels=labels), 4, 1)) == 4


@pytest.mark.parametrize(
    ("changes", "folds", "words"),
    [
        ({}, 21, "21 folds of 20 subjects"),
        ({}, 1, "1 folds of 20 subjects"),
        ({"subjects": None}, 61, "61 folds of 60 images"),
        ({"subjects": None}, 25, "25 folds, but no class has as many images"),
    ],
)
def test_more_folds_than_people_are_refused(changes, folds, words):
    with pytest.raises(DatasetError, match=words):
        subject_folds(dataset(**changes), folds, 1)


def test_frames_become_sequences_in_the_order_of_their_numbers():
    names = [f"S{k // 3}_001_{9 + k % 3:08}.png" for k in (2, 0, 1, 3, 5, 4)]
    images = np.arange(6, dtype=np.uint8)[:, np.newaxis, np.newaxis] * np.ones((1, 4, 4), np.uint8)
    data = dataset(6, images=images, filenames=np.array(names), labels=np.array([1, 0, 0, 2, 2, 0]))
    found = sequences(data)
    assert [(s.name, s.label, s.subject, s.frames[:, 0, 0].tolist()) for s in found] == [
        ("S0_001", "fear", "S0", [1, 2, 0]),
        ("S1_001", "sadness", "S1", [3, 5, 4]),
    ]


def test_frames_without_a_number_are_no_sequence():
    with pytest.raises(DatasetError, match="need the file name and the subject"):
        sequences(dataset())
    with pytest.raises(DatasetError, match="happy.png does not end in the number of a frame"):
        sequences(dataset(3, filenames=np.array(["happy.png"] * 3)))
