# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Takes a model over any number of images: a batch at a time in memory, of which only the logits are kept."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion_perception.core.classification.classifier import EmotionClassifier
from emotion_perception.training.datasets import Images

BATCH = 128  # images; bounds the memory
BagImage = NDArray[np.uint8]


def logits_of(
    classifier: EmotionClassifier,
    images: Images,
    bar: "tqdm[Any]",
    change: Callable[[BagImage, int], BagImage] | None = None,
) -> NDArray[np.float32]:
    """Returns the logits of every image, float32 (N, L).

    Args:
        classifier: the model.
        images: uint8 (N, H, W[, 3]), in memory or mapped from a file.
        bar: is moved by the number of images of each batch.
        change: makes another image of an image and its number.
    """
    rows = [np.empty((0, len(classifier.labels)), np.float32)]
    for start in range(0, len(images), BATCH):
        crops = list(images[start : start + BATCH])
        bar.update(len(crops))
        if change is not None:
            crops = [change(crop, start + k) for k, crop in enumerate(crops)]
        rows.append(classifier.logits(crops))
    return np.concatenate(rows)
