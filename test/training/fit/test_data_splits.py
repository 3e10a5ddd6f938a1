# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

from itertools import combinations

import numpy as np
import pytest

from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.training.datasets import load_dataset
from emotion_perception.training.fit.data_splits import split_data, split_off

TAUGHT = ("teacher=compact_vgg", "teacher_weight=1", "teacher_views=true", "vote_weight=0")


def pixels_of(splits):
    parts = (splits.train, splits.calibration, splits.validation, splits.unlabeled)
    return [{image.tobytes() for image in part.images} for part in parts if part is not None]


@pytest.mark.guarantee(
    "No image, found by its pixels, is in two of the training, calibration, validation and unlabeled images.",
    section="Programs",
)
@pytest.mark.parametrize("val_split", ["PublicTest", ""])
def test_an_image_that_the_data_has_twice_is_in_one_part(write_npz, tiny_recipe, val_split):
    arrays = dict(np.load(write_npz(count=160)))
    arrays["split"] = (np.arange(160) // 40).clip(0, 2).astype(np.uint8)  # 40 Training, 40 PublicTest, 80 Faces
    arrays["split_names"] = np.array(["Training", "PublicTest", "Faces"])
    arrays["images"][20:40] = arrays["images"][:20]  # within the training split
    arrays["images"][40:50] = arrays["images"][:10]  # also in the validation split
    arrays["images"][80:90], arrays["images"][90:95] = arrays["images"][10:20], arrays["images"][60:65]
    data = load_dataset(
        write_npz(leak=None, **{name: arrays[name] for name in ("images", "split", "split_names")}, count=160)
    )
    recipe = tiny_recipe(*TAUGHT, "unlabeled_split=Faces", "calibration_fraction=0.4")
    parts = pixels_of(split_data(data, recipe, "Training", val_split))
    assert len(parts) == 4
    assert all(parts)
    assert not any(one & other for one, other in combinations(parts, 2))


def test_a_person_of_another_part_is_not_among_the_unlabeled_images(write_npz, tiny_recipe):
    changes = {
        "split": (np.arange(120) // 40).astype(np.uint8),
        "split_names": np.array(["Training", "PublicTest", "F"]),
    }
    people = np.array([f"S{k % 40 % 8}" for k in range(80)] + [f"S{k % 40 % 10}" for k in range(40)])
    data = load_dataset(write_npz(leak=None, subject=people, **changes))
    splits = split_data(data, tiny_recipe(*TAUGHT, "unlabeled_split=F"), "Training", "PublicTest")
    assert set(splits.unlabeled.subjects) == {"S8", "S9"}


@pytest.mark.parametrize(
    ("train_split", "unlabeled_split", "words"),
    [
        ("PublicTest", "", "--train-split and --val-split are both 'PublicTest'; --val-split '' takes a tenth"),
        ("Training", "PublicTest", "unlabeled_split of the recipe 'PublicTest' is the validation split"),
        ("Training", "Training", "unlabeled_split of the recipe 'Training' is the training split"),
    ],
)
def test_a_split_cannot_have_two_uses(write_npz, tiny_recipe, train_split, unlabeled_split, words):
    recipe = tiny_recipe(*TAUGHT, f"unlabeled_split='{unlabeled_split}'")
    with pytest.raises(ConfigurationError, match=words):
        split_data(load_dataset(write_npz()), recipe, train_split, "PublicTest")


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.7])
def test_of_few_people_one_is_split_off(write_npz, fraction):
    people = np.array([f"S{k % 3}" for k in range(120)])
    data = load_dataset(write_npz(split=None, split_names=None, subject=people))
    larger, smaller = split_off(data, fraction, seed=0)
    assert len(set(larger.subjects)) + len(set(smaller.subjects)) == 3
    assert len(smaller) > 0
    assert len(larger) > 0


def test_one_person_cannot_be_divided(write_npz):
    data = load_dataset(write_npz(split=None, split_names=None, subject=np.full(120, "S0")))
    with pytest.raises(DatasetError, match="1 subject cannot be divided: name a validation split and set"):
        split_off(data, 0.1, seed=0)
