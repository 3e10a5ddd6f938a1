# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.classification.resting_head import RestingHead
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.evaluate.resting_images import (
    RestingRule,
    baseline_entries,
    find_resting_images,
    predict_relative,
)

LABELS = ("happiness", "neutral")
FILES = ["a_glasses", "a_normal", "a_happy", "b_normal", "b_happy", "c_happy"]
GRAYS = [10, 0, 60, 100, 160, 200]  # person b is brighter than a; each smiles 60 brighter than at rest


def faces(**changes):
    values = {
        "images": np.array(GRAYS, np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8),
        "labels": np.array([1, 1, 0, 1, 0, 0]),
        "class_names": LABELS,
        "subjects": np.array(["a", "a", "a", "b", "b", "c"]),
        "filenames": np.array(FILES),
    }
    return FaceDataset(**{**values, **changes})


class GrayClassifier:
    """Calls everything above 50 happy; its projection is the brightness in tens."""

    labels, model_name = LABELS, "gray"
    resting_head = RestingHead(np.eye(2, dtype=np.float32), np.array([-3, 0], np.float32))

    def predict(self, crops):
        gray = np.array([crop.mean() for crop in crops], np.float32)
        happy = (gray > 50).astype(np.float32)
        return np.stack((happy, 1 - happy), axis=1), np.stack((gray / 10, np.zeros_like(gray)), axis=1)


@pytest.mark.parametrize(("files", "tested"), [("", [1, 2, 4]), ("*_normal", [0, 2, 4])])
def test_one_resting_image_of_each_subject_is_taken_out(files, tested):
    found = find_resting_images(faces(), RestingRule(files=files))
    assert np.flatnonzero(found.tested).tolist() == tested, "c has no resting image"


def test_predictions_are_relative_to_the_subjects_own_rest():
    data, rule = faces(), RestingRule(files="*_normal")
    found = find_resting_images(data, rule)
    relative, alone = predict_relative(GrayClassifier(), data, found, progress=False)
    assert relative.correct().tolist() == [True, True, True]
    entries = baseline_entries(rule, data, found, relative, alone, seed=0)
    assert (entries["num_subjects"], entries["without_rest"]) == (2, 1)
    assert (entries["relative"]["balanced_accuracy"], entries["relative"]["accuracy_interval"]) == (1.0, [1.0, 1.0])
    assert entries["alone"]["accuracy"] == 1.0
    assert entries["gain"]["accuracy"] == 0.0


def test_the_network_alone_gets_the_resting_brightness_of_another_wrong():
    data = faces(labels=np.array([1, 1, 0, 1, 1, 0]))  # b does not smile in the second image, but is bright
    found = find_resting_images(data, RestingRule(files="*_normal"))
    images = data.images.copy()
    images[4] = 105
    relative, alone = predict_relative(
        GrayClassifier(), faces(images=images, labels=data.labels), found, progress=False
    )
    assert relative.correct().tolist() == [True, True, True]
    assert alone.correct().tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("changes", "rule", "problem"),
    [
        ({"subjects": None}, {}, "the dataset has no subjects"),
        ({}, {"label": "asleep"}, "--baseline-class 'asleep' is not an emotion or another label"),
        ({}, {"label": "fear"}, "--baseline-class fear: the dataset has happiness, neutral"),
        ({"filenames": None}, {"files": "*_normal"}, "the dataset has no file names"),
        ({}, {"files": "*_asleep"}, "no subject has a resting image and another one to test"),
    ],
)
def test_data_without_resting_images_is_refused(changes, rule, problem):
    with pytest.raises(DatasetError, match=problem.replace("*", r"\*")):
        find_resting_images(faces(**changes), RestingRule(**rule))


def test_a_model_without_statistics_is_refused():
    classifier = GrayClassifier()
    classifier.resting_head = None
    found = find_resting_images(faces(), RestingRule())
    with pytest.raises(ConfigurationError, match="gray has no statistics of resting faces.*fit-baseline"):
        predict_relative(classifier, faces(), found, progress=False)
