# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Preprocessing: the only code that converts a face crop into a network input.

Training, evaluation, the classifier node and the exporter all call `to_input` with the `ModelSpec` that is stored
beside the weights, so that a network gets the same kind of input everywhere.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.errors import ImageError


def to_input(crop: NDArray[np.uint8], spec: ModelSpec) -> NDArray[np.float32]:
    """Converts one face crop into one network input.

    Args:
        crop: uint8, (H, W) gray or (H, W, 3) BGR, of any size from 1x1.
        spec: description of the network.

    Returns:
        float32 of shape (1, S, S) with S = `spec.input_size`, gray, normalized as the spec requires.

    Raises:
        ImageError: the crop is empty, not uint8, or has another number of channels.
    """
    if crop.dtype != np.uint8 or crop.ndim not in (2, 3) or crop.size == 0:
        raise ImageError(f"a crop is uint8 of shape (H, W) or (H, W, 3), not {crop.dtype} {crop.shape}")
    if crop.ndim == 3 and crop.shape[2] != 3:
        raise ImageError(f"a color crop has 3 channels, not {crop.shape[2]}")
    gray = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    size = (spec.input_size, spec.input_size)
    if gray.shape != size:
        shrinking = min(gray.shape) > spec.input_size
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
    return _normalize(gray.astype(np.float32), spec)[np.newaxis]


def to_batch(crops: Sequence[NDArray[np.uint8]], spec: ModelSpec) -> NDArray[np.float32]:
    """Stacks `to_input` of every crop: float32 of shape (N, 1, S, S), N may be 0."""
    batch = np.empty((len(crops), 1, spec.input_size, spec.input_size), np.float32)
    for row, crop in zip(batch, crops, strict=True):
        row[:] = to_input(crop, spec)
    return batch


def gray_range(spec: ModelSpec) -> tuple[float, float] | None:
    """Returns what gray 0 and gray 255 become in an input; None if each image has a scale of its own."""
    if spec.normalization in ("standardize", "min_max"):
        return None
    black, white = _normalize(np.array((0, 255), np.float32), spec).tolist()
    return black, white


def _normalize(gray: NDArray[np.float32], spec: ModelSpec) -> NDArray[np.float32]:
    offset, scale = {
        "standardize": lambda: (gray.mean(), max(float(gray.std()), 1.0)),  # a blank image gives values near zero
        "min_max": lambda: (gray.min(), max(float(np.ptp(gray)), 1.0)),
        "zero_one": lambda: (0.0, 255.0),
        "minus_one_one": lambda: (127.5, 127.5),
        "dataset": lambda: (spec.pixel_mean, spec.pixel_deviation),
    }[spec.normalization]()
    return np.asarray((gray - offset) / scale, np.float32)
