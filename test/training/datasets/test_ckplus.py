# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ConfigurationError, DatasetError, ModelFileError
from emotion_perception.core.types import Box, Face
from emotion_perception.training.datasets import load_dataset, sequences
from emotion_perception.training.datasets.ckplus import load_ckplus

HAPPY, CONTEMPT = "   5.0000000e+00\n", "   2.0000000e+00\n"


class BrightFace:
    """A detector for drawn frames: the face is where pixels are above 200."""

    def __init__(self, config):
        self.config = config

    def detect(self, image_bgr):
        rows, columns = np.nonzero(image_bgr[..., 0] > 200)
        if not len(rows):
            return []
        return [Face(Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), 0.9)]


def frame(number, height=490, color=False):
    """Draws a gray frame with a bright face of 100 pixels and a white time stamp at the bottom; tells its number."""
    drawn = np.full((height, 640), 60, np.uint8)
    drawn[100:200, 200:300] = 201 + number
    drawn[height - 30 :, 20:200] = 200
    return np.dstack([drawn] * 3) if color else drawn


@pytest.fixture
def write_ckplus(write_tree):
    """Returns a function that writes an official tree from {"S010/001": (number of frames, emotion text or None)}."""

    def write(folders, **drawing):
        files = {"Emotion/readme": ""}
        for name, (count, emotion) in folders.items():
            stem = name.replace("/", "_")
            for k in range(1, count + 1):
                files[f"cohn-kanade-images/{name}/{stem}_{k:08}.png"] = frame(k, **drawing)
            if emotion is not None:
                files[f"Emotion/{name}/{stem}_{count:08}_emotion.txt"] = emotion
        return write_tree(files, "ck")

    return write


def load(path, **options):
    return load_ckplus(path, detector=BrightFace, **options)


def shown(data):
    """Returns [(number of the frame, label)]."""
    return [(int(name[-6:-4]), data.class_names[k]) for name, k in zip(data.filenames, data.labels, strict=True)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [(9, "happiness")]),
        ({"percent": 25}, [(7, "happiness"), (8, "happiness"), (9, "happiness")]),
        ({"neutral": 2}, [(1, "neutral"), (2, "neutral"), (9, "happiness")]),
        ({"percent": 100, "neutral": 3}, [(k, "happiness") for k in range(1, 10)]),
    ],
)
def test_the_peak_and_what_is_asked_for_before_it_are_taken(write_ckplus, options, expected):
    data = load(write_ckplus({"S010/001": (9, HAPPY)}), **options)
    assert shown(data) == expected
    assert set(data.subjects.tolist()) == {"S010"}


def test_a_tree_without_labels_says_what_is_missing(write_ckplus):
    words = r"ck: holds no images that can be used; left out 2 x sequence without a label \(S010/001, S011/002\)"
    with pytest.raises(DatasetError, match=words):
        load_dataset(write_ckplus({"S010/001": (2, None), "S011/002": (1, None)}))


def test_sequences_without_a_label_give_neutral_frames_where_asked(write_ckplus):
    tree = write_ckplus({"S010/001": (4, HAPPY), "S011/002": (5, None)})
    assert len(load(tree, neutral=1)) == 2
    data = load(tree, neutral=1, neutral_of="all")
    assert data.subjects.tolist() == ["S010", "S010", "S011"]
    assert [str(problem) for problem in data.problems] == ["1 x sequence without a label (S011/002)"]


def test_contempt_is_kept_or_dropped(write_ckplus):
    tree = write_ckplus({"S010/001": (4, HAPPY), "S010/002": (4, CONTEMPT)})
    assert [label for _, label in shown(load(tree))] == ["happiness", "contempt"]
    data = load(tree, contempt=False)
    assert ([label for _, label in shown(data)], len(data.class_names)) == (["happiness"], 7)


@pytest.mark.parametrize("drawing", [{}, {"height": 480}, {"color": True}], ids=["490", "480", "color"])
def test_a_face_crop_holds_no_time_stamp(write_ckplus, drawing):
    data = load(write_ckplus({"S010/001": (3, HAPPY)}, **drawing), margin=0.1)
    assert data.images.shape == (1, 48, 48)
    assert data.images[0][24, 24] == 204
    assert data.images[0][0, 0] == 60
    assert 200 not in data.images[0]


def test_our_own_detector_finds_the_face(write_ckplus):
    try:
        photograph = cv2.imread(str(resolve_model_file("astronaut")))
        resolve_model_file(DetectorOptions.detector)
    except ModelFileError as error:
        pytest.skip(str(error))
    tree = write_ckplus({"S010/001": (2, HAPPY)})
    cv2.imwrite(str(tree / "cohn-kanade-images/S010/001/S010_001_00000002.png"), photograph)
    data = load_dataset(tree, size=96)
    face = cv2.cvtColor(photograph, cv2.COLOR_BGR2GRAY)[60:190, 160:290]
    crop = cv2.resize(data.images[0], face.shape[::-1])
    assert np.corrcoef(crop.ravel(), face.ravel())[0, 1] > 0.6  # about the same part of the image


@pytest.mark.parametrize("height", [490, 480])
def test_a_masked_frame_is_black_where_the_time_stamp_was(write_ckplus, height):
    data = load(write_ckplus({"S010/001": (3, HAPPY)}, height=height), crop="mask", size=[640, height])
    assert data.images.shape == (1, height, 640)
    assert not data.images[0][height - 45 :].any()
    assert (data.images[0][: height - 60] == frame(3, height)[: height - 60]).all()


def test_masked_frames_of_both_sizes_become_one_size(write_ckplus):
    tree = write_ckplus({"S010/001": (2, HAPPY)}, height=490)
    write_ckplus({"S011/001": (2, HAPPY)}, height=480)
    assert load_dataset(tree, crop="mask", color=True).images.shape == (2, 480, 640, 3)


def test_a_frame_without_a_face_is_bad(write_ckplus, tmp_path):
    tree = write_ckplus({"S010/001": (3, HAPPY)})
    path = tree / "cohn-kanade-images/S010/001/S010_001_00000003.png"
    cv2.imwrite(str(path), np.full((490, 640), 60, np.uint8))
    data = load(tree)
    assert [str(problem) for problem in data.problems] == ["1 x no face found (S010_001_00000003.png)"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("9", "'9' is not within 0..7"),
        ("", "'' is not an emotion"),
        ("1.5", "'1.5' is not"),
        ("nan", "'nan' is not"),
    ],
)
def test_a_wrong_emotion_file_is_named(write_ckplus, text, words):
    tree = write_ckplus({"S010/001": (3, HAPPY), "S010/002": (3, text)})
    with pytest.raises(DatasetError, match=rf"1 x wrong label \(S010/002: .*{words}.*\) of 2: more than max_bad"):
        load_dataset(tree, crop="mask")
    assert len(load_dataset(tree, crop="mask", max_bad=0.5)) == 1


def test_a_tree_without_its_emotions_or_their_frame_is_refused(write_ckplus, write_tree):
    write_tree({"cohn-kanade-images/S010/001/a.png": ""}, "images only")
    with pytest.raises(DatasetError, match="has cohn-kanade-images but no Emotion"):
        load_dataset(write_tree({}, "images only"))
    tree = write_ckplus({"S010/001": (3, HAPPY)})
    (tree / "cohn-kanade-images/S010/001/S010_001_00000003.png").unlink()
    with pytest.raises(DatasetError, match="no frame S010_001_00000003.png"):
        load_dataset(tree, crop="mask")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"crop": "none"}, "crop 'none' is none of face, mask"),
        ({"neutral_of": "some"}, "neutral_of 'some' is none of labeled, all"),
        ({"percent": 101.0}, "percent 101.0 is not within 0..100"),
        ({"neutral": -1}, "neutral -1 is below 0"),
    ],
)
def test_an_option_that_cannot_work_is_refused(write_ckplus, options, words):
    with pytest.raises(ConfigurationError, match=words):
        load_dataset(write_ckplus({"S010/001": (2, HAPPY)}), **options)


def test_sequences_go_from_the_neutral_face_to_the_peak(write_ckplus):
    tree = write_ckplus({"S010/001": (6, HAPPY), "S010/003": (4, None), "S011/002": (3, CONTEMPT)})
    found = sequences(load(tree, percent=100, size=10))
    assert [(s.name, s.label, s.subject, s.frames.shape) for s in found] == [
        ("S010_001", "happiness", "S010", (6, 10, 10)),
        ("S011_002", "contempt", "S011", (3, 10, 10)),
    ]
    assert [int(image[5, 5]) for image in found[0].frames] == [202, 203, 204, 205, 206, 207]
