# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import MappedImages, load_dataset


def shown(data):
    """Returns {file name: label}."""
    return {str(name): data.class_names[k] for name, k in zip(data.filenames, data.labels, strict=True)}


def test_a_folders_name_is_the_class_in_any_spelling(write_tree, noise):
    names = ["Angry/a.png", "happy/b.jpg", "NE/c.bmp", "surprised/d.webp", "human_face/e.jpeg", "female/deep/f.PNG"]
    data = load_dataset(write_tree({name: noise(0) for name in names}))
    assert list(shown(data).values()) == ["anger", "neutral", "woman", "happiness", "face", "surprise"]
    assert data.class_names == ("anger", "happiness", "surprise", "neutral", "face", "woman")
    assert data.splits is None


def test_images_of_any_size_and_color_become_one_size(write_tree, noise):
    tree = write_tree({"happy/a.png": noise(0, 30, 50), "sad/b.png": noise(1, 64, 64, 3), "sad/c.png": noise(2, 9, 9)})
    assert load_dataset(tree).images.shape == (3, 48, 48)
    data = load_dataset(tree, size=[40, 20], color=True)
    assert isinstance(data.images, MappedImages)
    assert data.images.shape == (3, 20, 40, 3)


def test_images_of_the_wanted_size_are_kept_pixel_for_pixel(write_tree, noise):
    data = load_dataset(write_tree({f"happy/{k}.png": noise(k) for k in range(4)}), size=20)
    assert all((data.images[k] == noise(k)).all() for k in range(4))


def test_a_split_may_stand_above_the_classes(write_tree, noise):
    files = {"test/happy/a.png": noise(0), "Train/sad/b.png": noise(1), "Train/happy/c.png": noise(0)}
    data = load_dataset(write_tree({**files, "validation/sad/d.png": noise(2)}))
    assert data.splits.tolist() == ["Train", "Train", "test", "validation"]
    assert list(shown(data)) == ["Train/happy/c.png", "Train/sad/b.png", "test/happy/a.png", "validation/sad/d.png"]
    assert data.leak.tolist() == [True, False, False, False]


def test_files_of_one_folder_are_told_by_their_names(write_tree, noise):
    names = ["an_0.png", "an_1.png", "ha_0.png", "human_face_12.png", "others_3.png", "test/sa-4.png"]
    data = load_dataset(write_tree({name: noise(0) for name in names[:5]}))
    assert list(shown(data).values()) == ["anger", "anger", "happiness", "face", "other"]
    assert shown(load_dataset(write_tree({names[5]: noise(0)}, "other"))) == {"test/sa-4.png": "sadness"}


def test_what_is_no_image_is_not_looked_at(write_tree, noise):
    files = {
        "happy/a.png": noise(0),
        "happy/readme.txt": "x",
        "happy/.hidden.png": "x",
        ".git/b.png": "x",
        "notes/c": "",
    }
    assert list(shown(load_dataset(write_tree(files)))) == ["happy/a.png"]


def test_bad_images_are_left_out_counted_and_named(write_tree, noise):
    files = {f"happy/{k:02}.png": noise(k) for k in range(40)}
    tree = write_tree({**files, "happy/07.png": b"no image", "bored/x.png": noise(0)})
    data = load_dataset(tree)
    assert len(data) == 39
    assert [str(problem) for problem in data.problems] == [
        "1 x wrong label (bored/x.png)",
        "1 x corrupt image (happy/07.png)",
    ]
    assert data.images[7].tolist() == load_dataset(tree).images[7].tolist()
    with pytest.raises(DatasetError, match=r"2 of 41 are bad, more than max_bad 0.04 allows: 1 x wrong label \(bored"):
        load_dataset(tree, max_bad=0.04)


@pytest.mark.parametrize(
    ("files", "empty", "words"),
    [
        ({"happy/a.png": 1}, "sad", r"1 x class without images \(sad\) of 2"),
        ({"train/happy/a.png": 1, "test/happy/b.png": 2}, "test/sad", r"class without images \(test/sad\) of 3"),
        ({"train/happy/a.png": 1}, "test/happy", r"1 x split without images \(test\) of 2"),
        ({"train/happy/a.png": 1, "happy/b.png": 2}, "", r"1 x image outside the splits \(happy/b.png\)"),
    ],
)
def test_empty_classes_and_missing_splits_are_refused_and_can_be_allowed(write_tree, noise, files, empty, words):
    tree = write_tree({name: noise(seed) for name, seed in files.items()})
    (tree / empty).mkdir(parents=True, exist_ok=True)
    with pytest.raises(DatasetError, match=words):
        load_dataset(tree)
    assert len(load_dataset(tree, max_bad=0.5))


def test_a_changed_tree_is_read_anew(write_tree, noise):
    tree = write_tree({"happy/a.png": noise(0)})
    assert len(load_dataset(tree)) == 1
    write_tree({"sad/b.png": np.full((20, 20), 7, np.uint8)})
    assert load_dataset(tree).images[1].mean() == 7
