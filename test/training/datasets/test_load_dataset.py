# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.training.datasets import load_dataset


@pytest.mark.parametrize("name", ["absent.npz", "absent.csv", "absent"])
def test_a_missing_file_is_refused(tmp_path, name):
    with pytest.raises(DatasetError, match="no such file"):
        load_dataset(tmp_path / name)


def test_a_folder_without_an_image_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="holds no images"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"side": 3}, "data option 'side' is unknown for .*faces.npz; it takes max_bad, expect_classes, expect_splits"),
        ({"max_bad": 2}, "max_bad 2 is not within 0..1"),
        ({"max_bad": "x"}, "max_bad 'x' is not within 0..1"),
        ({"expect_classes": "happy"}, "expect_classes 'happy' is not a list of names"),
        ({"split_file": 1}, "split_file 1 is not a name or path"),
    ],
)
def test_an_option_that_cannot_work_is_refused(write_npz, options, words):
    with pytest.raises(ConfigurationError, match=words):
        load_dataset(write_npz(), **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"color": "maybe"}, "data option color 'maybe' is not of type bool"),
        ({"workers": 1.5}, "data option workers 1.5 is not of type int"),
        ({"size": "large"}, "size 'large' is neither a side nor"),
        ({"size": [1, 2, 3]}, "neither a side nor"),
        ({"size": 0}, "neither a side nor"),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(write_tree, noise, options, words):
    with pytest.raises(ConfigurationError, match=words):
        load_dataset(write_tree({"happy/a.png": noise(0)}), **options)


def test_classes_and_splits_can_be_asked_for(write_npz):
    path = write_npz()
    assert load_dataset(path, expect_classes=["Happy", "sad"], expect_splits=["Training"]).problems == ()
    with pytest.raises(DatasetError, match=r"1 x class without images \(contempt\) of 2: more than max_bad 0.05"):
        load_dataset(path, expect_classes=["happy", "contempt"])
    with pytest.raises(DatasetError, match=r"1 x missing split \(PrivateTest\) of 1"):
        load_dataset(path, expect_splits=["PrivateTest"])
    assert len(load_dataset(path, expect_splits=["PrivateTest"], max_bad=1.0)) == 120
