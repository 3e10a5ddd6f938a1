# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import os

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


@pytest.mark.guarantee(
    "Classes are found in folders as archives have them: numbered, in any spelling, and at any level.",
    section="Programs",
)
@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["0_angry/a.png", "3_happy/b.png"], None),
        (["angry_0/a.png", "Happy (3)/b.png"], None),
        (["1. Anger/a.PNG", "02-HAPPINESS/b.JPG"], None),
        (["archive/faces/angry/a.png", "archive/faces/happy/b.png"], None),
        (["fer2013/test/angry/a.png", "fer2013/train/happy/b.png"], ["test", "train"]),
        (["test/images/angry/a.png", "train/images/happy/b.png"], ["test", "train"]),
        (["angry/test/a.png", "happy/train/b.png"], ["test", "train"]),
        (["angry/person_1/a.png", "happy/calm/b.png"], None),
        (["images/angry_1.png", "images/happy_2.png"], None),
    ],
)
def test_classes_and_splits_are_found_at_the_level_where_they_are(write_tree, noise, names, splits):
    data = load_dataset(write_tree({name: noise(k) for k, name in enumerate(names)}))
    assert shown(data) == dict(zip(names, ["anger", "happiness"], strict=True))
    assert (data.splits if splits is None else data.splits.tolist()) == splits


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["0/a.png", "1/b.png"], "2 x wrong label (0/a.png: class '0', 1/b.png: class '1')"),
        (["fer/happy/a.png", "fer/boredom/b.png"], "1 x wrong label (fer/boredom/b.png: class 'boredom')"),
        (["happy/a.png", "test/happy/b.png"], "1 x image outside the splits test (happy/a.png)"),
        (["a.txt", "fer2013.csv"], "holds no images"),
        (["a.txt", "fer2013.csv"], "if you mean fer2013.csv, give its path"),
    ],
)
def test_what_cannot_be_a_class_is_named_with_what_it_was_taken_for(write_tree, noise, files, words):
    tree = write_tree({name: noise(k) if name.endswith("png") else "x" for k, name in enumerate(files)})
    with pytest.raises(DatasetError) as refusal:
        load_dataset(tree)
    assert words in str(refusal.value)


@pytest.mark.guarantee(
    "A link to a missing file or to a folder above, a FIFO or a name that is not UTF-8 refuses no folder of images.",
    section="Programs",
)
def test_one_odd_entry_does_not_refuse_a_folder(write_tree, noise):
    tree = write_tree({f"happy/{k:02}.png": noise(k) for k in range(60)})
    (tree / "happy" / "gone.png").symlink_to("/nowhere.png")
    os.mkfifo(tree / "happy" / "pipe.png")
    (tree / "happy" / "up").symlink_to("..")
    (tree / "happy" / "above").symlink_to(tree.parent)
    os.rename(tree / "happy" / "00.png", os.fsencode(tree) + b"/happy/caf\xe9.png")
    for _ in range(2):  # decoded, and from the cache
        data = load_dataset(tree)
        assert len(data) == 60
        assert "happy/caf\u00e9.png" in shown(data)
        assert [str(problem) for problem in data.problems] == [
            "1 x not a regular file (happy/pipe.png)",
            "1 x link to a missing file (happy/gone.png)",
        ]
    with pytest.raises(DatasetError, match=r"2 of 62 are bad.*missing file \(happy/gone.png\)"):
        load_dataset(tree, max_bad=0.01)


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


def test_what_is_no_image_is_named_in_a_warning_and_not_read(write_tree, noise, caplog):
    files = {
        "happy/a.png": noise(0),
        "happy/readme.txt": "x",
        "happy/.hidden.png": "x",
        ".git/b.png": "x",
        "notes/c": "",
    }
    data = load_dataset(write_tree(files))
    assert list(shown(data)) == ["happy/a.png"]
    assert data.problems == ()
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.endswith("tree: ignored 2 x not an image by its suffix (happy/readme.txt, notes/c)")


def test_results_that_were_written_into_the_folder_are_no_images(write_tree, noise, caplog):
    folder = write_tree({name: noise(0) for name in ("test/angry/a.png", "test/happy/b.png", "test/out/confusion.png")})
    (folder / "test" / "out" / ".emotion_perception.json").write_text("{}")
    assert list(shown(load_dataset(folder)).values()) == ["anger", "happiness"]
    assert "folder with results of this package" in caplog.text


def test_bad_images_are_left_out_counted_and_named(write_tree, noise):
    files = {f"happy/{k:02}.png": noise(k) for k in range(40)}
    tree = write_tree({**files, "happy/07.png": b"no image", "bored/x.png": noise(0)})
    data = load_dataset(tree)
    assert len(data) == 39
    assert [str(problem) for problem in data.problems] == [
        "1 x wrong label (bored/x.png: class 'bored')",
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
        ({"train/happy/a.png": 1, "happy/b.png": 2}, "", r"1 x image outside the splits train \(happy/b.png\)"),
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
