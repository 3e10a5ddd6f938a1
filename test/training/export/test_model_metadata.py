# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import numpy as np
import pytest

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.datasets.problems import Problem
from emotion_perception.training.export.model_metadata import intended_use, left_out, selected_on, terms_of
from emotion_perception.training.fit.data_splits import split_data
from emotion_perception.training.fit.run_directory import TrainingRun
from emotion_perception.training.recipe import Recipe

FLAGS = np.arange(20) % 5 == 0


def make_data(**changes):
    """Returns twenty images, the last four of PublicTest."""
    values = {
        "images": np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8),
        "labels": np.arange(20) % 2,
        "class_names": ("anger", "contempt"),
        "splits": np.array(["Training"] * 16 + ["PublicTest"] * 4),
    }
    return FaceDataset(**values | changes)


def make_run(val_split="PublicTest", **changes):
    recipe = Recipe(architecture="compact_vgg", calibration_fraction=0.0, **changes)
    return TrainingRun(
        recipe=recipe,
        data=Path("faces.npz"),
        num_train_images=0,
        train_split="Training",
        val_split=val_split,
        started="2026-01-01",
    )


def left_out_of(data, **changes):
    run = make_run(**changes)
    return left_out(run, data, split_data(data, run.recipe, run.train_split, run.val_split))


@pytest.mark.parametrize(
    ("data", "recipe", "text"),
    [
        ({}, {}, "0 images that are blank or repeated"),
        ({"leak": FLAGS}, {}, "4 images that are blank or repeated or that are also in a test split"),
        ({"rejected": FLAGS}, {}, "4 images that are blank or repeated or that have no face according to all taggers"),
        ({}, {"ignore_classes": ("contempt",)}, "8 images that are blank or repeated or that show contempt"),
        (
            {"problems": (Problem("corrupt image", 2, ("a.png", "b.png")),)},
            {},
            "0 images that are blank or repeated; when the dataset was read: 2 x corrupt image (a.png, b.png)",
        ),
        (
            {"labels": np.arange(20) % 4 // 3},
            {"balance": "downsample"},
            "8 images that are blank or repeated or that exceed the size of the smallest class",
        ),
    ],
)
def test_what_was_left_out_is_what_the_data_and_the_recipe_left_out(data, recipe, text):
    assert left_out_of(make_data(**data), **recipe) == text


@pytest.mark.parametrize(
    ("changes", "val_split", "text"),
    [
        ({}, "PublicTest", "PublicTest"),
        ({}, "", "a tenth of the images"),
        ({"splits": None}, "PublicTest", "a tenth of the images"),
        ({"splits": None, "subjects": np.array([f"S{k}" for k in range(20)])}, "PublicTest", "a tenth of the people"),
    ],
)
def test_the_images_on_which_the_epoch_was_selected_are_named(changes, val_split, text):
    data = make_data(**changes)
    assert selected_on(make_run(val_split), data) == text
    assert left_out_of(data, val_split=val_split) == "0 images that are blank or repeated"


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("fer2013.npz", "FER-2013: "),
        ("FER2013.csv", "FER-2013: "),
        ("ckplus48.npz", "CK+: non-commercial"),
        ("imdb_crop", "IMDB-WIKI: "),
        ("mine.npz", "Those of the dataset."),
    ],
)
def test_the_terms_follow_the_name_of_the_data(name, begin):
    terms = terms_of(Path(name), make_data())
    assert terms.startswith(begin)
    assert "MIT" not in terms
    votes = {"votes": np.ones((20, 1), np.float32), "vote_names": ("anger",)}
    assert "FER+ votes: MIT." in terms_of(Path(name), make_data(**votes))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LABELS, "EU AI Act, Art. 5(1)(f)"),
        ((*LABELS[:6], "contempt"), "surprise, contempt"),
        (("woman", "man"), "a woman or a man"),
        (("face", "other"), "Distinguishes face, other"),
    ],
)
def test_the_intended_use_is_that_of_the_labels(labels, words):
    assert words in intended_use(tuple(labels))
