# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Logits of any number of images, computed in batches so that memory stays bounded."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from emotion_perception.core.classification import EmotionClassifier, ModelSpec, to_batch
from emotion_perception.core.errors import ModelBundleError
from emotion_perception.training.datasets import Images

BATCH = 128  # images
Image = NDArray[np.uint8]


def classifier_logits(
    classifier: EmotionClassifier,
    images: Images,
    bar: "tqdm[Any]",
    change: Callable[[Image, int], Image] | None = None,
) -> NDArray[np.float32]:
    """Returns the logits of a classifier for each image, float32 (N, L).

    Args:
        classifier: the model.
        images: uint8 (N, H, W[, 3]), in memory or memory-mapped.
        bar: progress bar, advanced by the number of images of each batch.
        change: applied to each image, with its index, before classification.

    Raises:
        ModelBundleError: an output of the network is not finite.
    """
    rows = [np.empty((0, len(classifier.labels)), np.float32)]
    for start in range(0, len(images), BATCH):
        crops = list(images[start : start + BATCH])
        bar.update(len(crops))
        if change is not None:
            crops = [change(crop, start + k) for k, crop in enumerate(crops)]
        rows.append(classifier.logits(crops))
        if not np.isfinite(rows[-1]).all():
            raise ModelBundleError(f"{classifier.model_name}: the network's outputs are not finite")
    return np.concatenate(rows)


def network_logits(
    network: Callable[[torch.Tensor], Any], images: Images | Sequence[Image], spec: ModelSpec
) -> NDArray[np.float32]:
    """Returns the logits of a torch network for each image, float32 (N, L).

    Args:
        network: maps inputs (N, 1, S, S) to logits (N, L).
        images: uint8 (N, H, W[, 3]), in memory or memory-mapped.
        spec: preprocessing of the network.
    """
    batches = (to_batch(list(images[k : k + BATCH]), spec) for k in range(0, len(images), BATCH))
    with torch.inference_mode():
        return np.concatenate([network(torch.from_numpy(batch)).numpy() for batch in batches])
