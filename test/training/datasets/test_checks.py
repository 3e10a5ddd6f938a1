# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from emotion_perception.training.datasets import FaceDataset, Problem, examine

FACES = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)


def dataset(**changes):
    values = {"images": FACES, "labels": np.array([0, 0, 1, 1, 0, 1]), "class_names": ("anger", "fear", "sadness")}
    return FaceDataset(**{**values, **changes})


def test_images_are_counted_by_split_and_class():
    report = examine(dataset(splits=np.array(["train"] * 4 + ["test"] * 2), subjects=np.array(list("aabbcc"))))
    assert report.counts == {
        "train": {"anger": 2, "fear": 2, "sadness": 0},
        "test": {"anger": 1, "fear": 1, "sadness": 0},
    }
    assert report.lines() == [
        "train: 4 images (anger 2, fear 2)",
        "train: no image of sadness",
        "test: 2 images (anger 1, fear 1)",
        "test: no image of sadness",
        "3 subjects",
    ]


def test_names_with_control_characters_are_shown_escaped_on_one_line():
    report = examine(dataset(splits=np.array(["a\x1b[31m\nb"] * 6)))
    assert report.lines()[0] == r"a\x1b[31m\nb: 6 images (anger 3, fear 3)"


def test_duplicates_between_splits_are_found_counted_and_named():
    images = FACES[[0, 1, 2, 0, 0, 1]]
    data = dataset(images=images, splits=np.array(["train"] * 3 + ["test"] * 3), labels=np.array([0, 0, 1, 0, 1, 0]))
    report = examine(data)
    assert [(entry.count, entry.example) for entry in report.duplicates] == [(2, ("row 0", "row 3"))]
    assert (report.repeated, report.contradictory) == (5, 3)
    assert "2 images of train are also in test (e.g. row 0 = row 3)" in report.lines()


def test_blank_images_are_counted_and_are_not_duplicates():
    images = FACES.copy()
    images[[0, 5]] = 70
    report = examine(dataset(images=images, splits=np.array(["train"] * 3 + ["test"] * 3)))
    assert (report.blank, report.repeated, report.duplicates) == (2, 0, ())


def test_images_that_are_not_trained_on_or_left_out_are_reported():
    flags = np.array([True, False, False, True, False, False])
    problem = Problem("corrupt image", 5, ("a.png", "b.png"))
    lines = examine(dataset(leak=flags, rejected=~flags, problems=(problem,))).lines()
    assert "2 images that are also in a later split, not trained on" in lines
    assert "4 images without a face according to all taggers, not trained on" in lines
    assert lines[-1] == "left out: 5 x corrupt image (a.png, b.png, ...)"


def test_nothing_is_a_report_too():
    assert examine(dataset().select(np.zeros(6, bool))).lines() == []
