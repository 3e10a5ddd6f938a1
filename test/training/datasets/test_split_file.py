# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json

import numpy as np
import pytest

from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.training.datasets import load_dataset
from emotion_perception.training.datasets.split_file import SHIPPED, images_sha256
from emotion_perception.training.fit.data_splits import split_data


@pytest.fixture
def write_split_file(tmp_path):
    """Returns a function that writes a split file for a dataset; keywords replace its values."""

    def write(data_path, **changes):
        training = load_dataset(data_path).split("Training")
        values = {
            "split": "Validation",
            "of": "Training",
            "rows": [1, 2, 40],
            "images_sha256": images_sha256(training.images),
        }
        path = tmp_path / "validation.json"
        path.write_text(json.dumps({**values, **changes}))
        return str(path)

    return write


def test_rows_of_the_training_split_become_a_validation_split(write_npz, write_split_file, tiny_recipe):
    path = write_npz(split=(np.arange(120) < 30).astype(np.uint8))  # the first thirty are PublicTest
    data = load_dataset(path, split_file=write_split_file(path))
    assert np.flatnonzero(data.splits == "Validation").tolist() == [31, 32, 70]
    assert (data.images == load_dataset(path).images).all()
    assert data.split("PublicTest").labels.tolist() == load_dataset(path).split("PublicTest").labels.tolist()
    splits = split_data(data, tiny_recipe(), "Training", "Validation")
    assert len(splits.validation) == 3
    trained_on = {image.tobytes() for image in splits.train.images}
    assert not any(image.tobytes() in trained_on for image in splits.validation.images)


def test_a_csv_can_be_split_too(write_csv, write_npz, write_split_file):
    data = load_dataset(write_npz())
    rows = [
        (int(label), image, split) for label, image, split in zip(data.labels, data.images, data.splits, strict=True)
    ]
    path = write_csv(rows)
    assert (load_dataset(path, split_file=write_split_file(path)).splits == "Validation").sum() == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"of": "Train"}, "faces.npz: has no split Train, which validation.json divides"),
        ({"images_sha256": "0" * 64}, "the images of Training are not those for which validation.json was made"),
        ({"rows": [90]}, "Training has 90 images, but validation.json names row 90"),
    ],
)
def test_a_split_file_of_other_images_is_refused(write_npz, write_split_file, changes, words):
    path = write_npz()
    with pytest.raises(DatasetError, match=words):
        load_dataset(path, split_file=write_split_file(path, **changes))


MALFORMED = [
    *({"rows": rows} for rows in ("all", [-1], [[1]], [0.9, 1.5], [True, False], ["0", "1"], [3, 3])),
    *({"split": name} for name in ("", None, 3)),
]


@pytest.mark.parametrize("changes", MALFORMED)
def test_a_malformed_split_file_is_refused(write_npz, write_split_file, changes):
    path = write_npz()
    with pytest.raises(ConfigurationError, match="validation.json: not a split file"):
        load_dataset(path, split_file=write_split_file(path, **changes))


@pytest.mark.parametrize("name", ["none", "none.json"])
def test_an_unknown_split_file_is_refused_with_those_that_are_shipped(write_npz, name):
    with pytest.raises(ConfigurationError, match=f"no split file '{name}'; shipped: fer2013; or give the path"):
        load_dataset(write_npz(), split_file=name)


def test_the_shipped_split_file_names_a_tenth_of_the_training_images():
    content = json.loads((SHIPPED / "fer2013.json").read_text())
    rows = content["rows"]
    assert (content["split"], content["of"]) == ("Validation", "Training")
    assert rows == sorted(set(rows))
    assert 0 <= rows[0] < rows[-1] < 28_709
    assert 0.09 < len(rows) / 28_709 <= 0.1
