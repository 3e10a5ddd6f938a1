# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.training.datasets import load_dataset


def test_an_npz_is_read_with_splits_leaks_and_votes(write_npz):
    data = load_dataset(write_npz(count=40))
    assert (len(data), data.images.dtype, data.labels.dtype) == (40, np.uint8, np.int64)
    assert data.splits.tolist() == ["Training"] * 30 + ["PublicTest"] * 10
    assert data.leak.sum() == 4
    assert data.votes[0].tolist() == pytest.approx([0.8] + [0] * 8 + [0.2])
    assert data.vote_names[-1] == "nf"


def test_class_names_are_mapped_by_name_whatever_their_spelling(write_npz):
    names = np.array(["Happy", "SAD", "angry", "fear", "disgust", "neutral", "surprise"])
    data = load_dataset(write_npz(class_names=names))
    assert data.class_names[:3] == ("happiness", "sadness", "anger")
    assert data.labels_in(LABELS)[:3].tolist() == [3, 4, 0]


def test_names_of_votes_have_any_spelling(write_npz):
    names = ["Angry", "disgusted", "scared", "HAPPY", "sad", "surprised", "Neutral", "contempt", "unknown", "NF"]
    written, plain = load_dataset(write_npz(ferplus_names=np.array(names))), load_dataset(write_npz())
    assert written.vote_names == plain.vote_names


def test_color_images_come_as_rgb_and_are_kept_as_bgr(write_npz):
    images = np.zeros((120, 8, 8, 3), np.uint8)
    images[..., 0] = 200
    assert load_dataset(write_npz(images=images)).images[0, 0, 0].tolist() == [0, 0, 200]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": None}, "lacks labels"),
        ({"images": None, "class_names": None}, "lacks class_names, images"),
        ({"images": np.zeros((120, 4, 4), np.float32)}, "images are float32"),
        ({"images": np.zeros((120, 4, 4, 4), np.uint8)}, "neither gray nor color"),
        ({"images": np.zeros((120, 0, 4), np.uint8)}, "neither gray nor color"),
        ({"images": np.zeros((2, 9000, 9000), np.uint8), "leak": None}, "images of 81 megapixels are larger than 80"),
        ({"images": np.zeros((0, 4, 4), np.uint8), "labels": np.zeros(0, np.uint8)}, "has the shape"),
        ({"labels": np.zeros(3, np.uint8)}, r"labels has the shape \(3,\) for 120 images"),
        (
            {"labels": np.full(120, 7, np.uint8)},
            r"not within 0..6, the class names \(row 0 has 7, row 1 has 7",
        ),
        ({"labels": np.full(120, -1, np.int8)}, r"not within 0..6, the class names \(row 0 has -1"),
        ({"labels": np.full(120, 0.5, np.float32)}, "labels are float32"),
        ({"labels": np.full(120, np.nan)}, "labels are float64"),
        ({"labels": np.full(120, "bored")}, "row 0 has bored"),
        ({"labels": np.eye(120)}, "labels are float64"),
        ({"class_names": np.array(["bored"] * 7)}, "'bored' is not an emotion"),
        ({"split_names": None}, "has split but no split_names"),
        ({"split": np.full(120, 2, np.uint8)}, r"not within 0..1, the split_names \(row 0 has 2"),
        ({"ferplus_votes": np.zeros(120, np.uint8)}, "ferplus_votes have the shape"),
        ({"ferplus_votes": np.full((120, 10), 3e37, np.float32)}, "ferplus_votes are not counts"),
        ({"split": np.full(120, 7, np.float16)}, r"not within 0..1, the split_names \(row 0 has 7"),
        ({"leak": np.array(True)}, "leak has the shape"),
    ],
)
def test_an_npz_in_another_format_is_refused_with_the_reason(write_npz, changes, words):
    with pytest.raises(DatasetError, match=words) as refusal:
        load_dataset(write_npz(**changes))
    assert "faces.npz" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "written",
    [
        lambda labels: labels.astype(np.float64),
        lambda labels: np.array(LABELS)[labels],
        lambda labels: np.array([name.upper() for name in LABELS])[labels],
        lambda labels: np.array([b"angry", b"disgusted", b"fear", b"Joy", b"sad", b"su", b"ne"])[labels],
    ],
)
def test_labels_are_numbers_or_words_in_any_spelling(write_npz, written):
    labels = np.arange(120) % 7
    data = load_dataset(write_npz(labels=written(labels), split=np.array(["PublicTest", "Training"] * 60)))
    assert data.labels.tolist() == labels.tolist()
    assert data.splits.tolist() == ["PublicTest", "Training"] * 60


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04"])
def test_a_file_that_is_no_npz_is_one_line(tmp_path, content):
    path = tmp_path / "faces.npz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="faces.npz: not a readable .npz file"):
        load_dataset(path)


def test_an_npz_of_pickled_objects_is_refused_unopened(write_npz):
    with pytest.raises(DatasetError, match="labels holds Python objects, which are not opened"):
        load_dataset(write_npz(labels=np.array([print] * 120, object)))


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: b"nonsense", lambda data: data[: len(data) // 2], lambda data: corrupt(data)],
    ids=["empty", "another format", "cut short", "changed"],
)
def test_a_damaged_npz_is_refused(write_npz, damage):
    path = write_npz()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DatasetError, match="faces.npz: not a readable .npz file"):
        load_dataset(path)


def corrupt(data):
    return data[:400] + bytes(200) + data[600:]


def test_a_bare_array_is_no_npz(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros((2, 4, 4), np.uint8))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    with pytest.raises(DatasetError, match="not a readable .npz file"):
        load_dataset(tmp_path / "array.npz")


def test_subjects_and_file_names_come_along(write_npz):
    names = np.array([f"S{k % 3:03}" for k in range(120)])
    data = load_dataset(write_npz(subject=names, filename=np.array([f"{k}.png" for k in range(120)])))
    assert (data.subjects[4], data.filenames[119]) == ("S001", "119.png")
    assert data.split("PublicTest").filenames[0] == "90.png"


def test_a_few_numbers_without_a_name_are_left_out_and_named(write_npz):
    labels, split = np.arange(120) % 7, np.zeros(120, int)
    labels[5], split[7] = 9, 3
    data = load_dataset(write_npz(labels=labels, split=split))
    assert len(data) == 118
    assert [str(problem) for problem in data.problems] == [
        "1 x wrong labels: not within 0..6, the class names (row 5 has 9)",
        "1 x wrong split: not within 0..1, the split_names (row 7 has 3)",
    ]


@pytest.fixture
def write_chips(tmp_path, noise):
    """Returns a function that writes UTKFace's form; keywords replace its arrays, None leaves one out."""

    def write(count=6, **changes):
        chips = [cv2.imencode(".jpg", np.full((64, 64, 3), 20 * k, np.uint8))[1] for k in range(count)]
        arrays = {
            "jpeg": np.concatenate(chips).astype(np.uint8),
            "offset": np.cumsum([0, *map(len, chips)]),
            "gender": np.arange(count, dtype=np.uint8) % 2,
            "age": np.arange(count, dtype=np.uint8) * 10,
            "split": np.arange(count, dtype=np.uint8) // 4,
            "split_names": np.array(["train", "test"]),
            "group": np.arange(count, dtype=np.int32) // 2,
            "filename": np.array([f"{k}.jpg" for k in range(count)]),
            **changes,
        }
        path = tmp_path / "chips.npz"
        np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
        return path

    return write


def test_chips_are_women_and_men_in_splits_and_groups(write_chips):
    data = load_dataset(write_chips())
    assert [data.class_names[k] for k in data.labels] == ["woman", "man"] * 3
    assert data.splits.tolist() == ["train"] * 4 + ["test"] * 2
    assert data.subjects.tolist() == ["0", "0", "1", "1", "2", "2"]
    assert data.images.shape == (6, 64, 64)
    assert [int(np.median(image)) for image in data.images] == [0, 20, 40, 60, 80, 100]


def test_chips_come_in_color_of_any_size_and_age(write_chips):
    data = load_dataset(write_chips(), task="face", min_age=20, size=32, color=True)
    assert (data.images.shape, data.class_names, len(data)) == ((4, 32, 32, 3), ("face",), 4)
    assert [str(problem) for problem in data.problems] == ["2 x person below 20 years (0.jpg, 1.jpg)"]


def test_a_chip_of_unknown_age_is_not_taken_for_an_adult(write_chips):
    ages = np.array([np.nan, 10, 20, 30, np.nan, 50])
    assert load_dataset(write_chips(age=ages), min_age=18).filenames.tolist() == ["2.jpg", "3.jpg", "5.jpg"]


@pytest.mark.parametrize("options", [{"workers": -1}, {"workers": 65}, {"min_age": -1}])
def test_an_option_that_is_out_of_range_is_named(write_chips, options):
    with pytest.raises(ConfigurationError, match=f"data option {next(iter(options))} .* is (below|above)"):
        load_dataset(write_chips(), **options)


def test_a_corrupt_chip_is_left_out_and_named(write_chips):
    path = write_chips()
    with np.load(path) as file:
        arrays = dict(file)
    arrays["jpeg"][: arrays["offset"][1]] = 0
    with pytest.raises(DatasetError, match=r"chips.npz: 1 of 6 are bad.* 1 x corrupt image \(0.jpg\)"):
        load_dataset(write_chips(jpeg=arrays["jpeg"]))
    assert load_dataset(write_chips(jpeg=arrays["jpeg"]), max_bad=0.2).filenames[0] == "1.jpg"


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({"offset": None}, {}, "lacks offset"),
        ({"gender": np.zeros(3, np.uint8)}, {}, r"gender has the shape \(3,\) for 6 images"),
        ({"gender": np.full(6, 2)}, {}, r"6 x wrong label \(0.jpg, 1.jpg, 2.jpg, ...\)"),
        ({"split": np.full(6, 2)}, {}, "6 x missing split"),
        ({"jpeg": np.zeros((3, 3))}, {}, "jpeg is float64"),
        ({"split_names": np.array([["train"], ["test"]])}, {}, r"split_names has the shape \(2, 1\), not \(N\)"),
    ],
)
def test_chips_in_another_form_are_refused(write_chips, changes, options, words):
    with pytest.raises(DatasetError, match=words):
        load_dataset(write_chips(**changes), **options)


def test_a_task_that_chips_have_no_labels_for_is_refused(write_chips):
    with pytest.raises(ConfigurationError, match="task 'race' is none of gender, face"):
        load_dataset(write_chips(), task="race")
