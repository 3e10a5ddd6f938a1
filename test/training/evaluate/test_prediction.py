# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.errors import ModelBundleError
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.training.evaluate.prediction import BATCH, classifier_logits


class Counting:
    """A classifier that answers with an image's first pixel and remembers how many images it was given at once."""

    labels = ("a", "b")
    model_name = "counting"

    def __init__(self):
        self.batches = []

    def logits(self, crops):
        self.batches.append(len(crops))
        return np.array([[crop[0, 0], 0] for crop in crops], np.float32)


class Mapped:
    """Images that exist only when they are looked at; a slice may be at most a batch."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, key):
        assert len(self.numbers[key]) <= BATCH, "more than a batch in memory"
        return Mapped(self.numbers[key])

    def __iter__(self):
        return (np.full((2, 2), number % 256, np.uint8) for number in self.numbers)


def run(classifier, images, change=None):
    with progress_bar(len(images), "counting", shown=False) as bar:
        return classifier_logits(classifier, images, bar, change)


@pytest.mark.parametrize(("count", "batches"), [(0, []), (1, [1]), (128, [128]), (300, [128, 128, 44])])
def test_any_number_of_images_passes_a_batch_at_a_time(count, batches):
    classifier = Counting()
    logits = run(classifier, Mapped(range(count)))
    assert logits[:, 0].tolist() == [number % 256 for number in range(count)]
    assert classifier.batches == batches
    assert logits.shape == (count, 2)


def test_a_change_gets_each_image_with_its_number():
    logits = run(Counting(), Mapped([5] * 200), lambda image, number: image + np.uint8(number))
    assert logits[:, 0].tolist() == [5 + number for number in range(200)]


def test_outputs_that_are_not_finite_are_an_error():
    classifier = Counting()
    classifier.logits = lambda crops: np.full((len(crops), 2), np.nan, np.float32)
    with pytest.raises(ModelBundleError, match="counting: the network's outputs are not finite"):
        run(classifier, Mapped([5] * 3))
