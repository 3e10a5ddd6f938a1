# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The preprocessing contract: the only code that turns a face crop into a network input.

Training, evaluation, the classifier node and the exporter all call `to_input` with the `ModelSpec` that travels with
the weights, so a network never sees images that were prepared in another way than those it was trained on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.errors import ImageError, ModelBundleError

NORMALIZATIONS = ("standardize", "zero_one", "minus_one_one", "min_max", "dataset")
_LARGEST_INPUT = 1024  # pixels; a larger one is a damaged description, not a face network


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """What a network expects and what its outputs mean.

    Attributes:
        architecture: name understood by `training.architectures.create_network`.
        options: keyword arguments of that network.
        input_size: side of the square input, in pixels.
        normalization: `standardize` (each image to mean 0 and deviation 1), `zero_one` (x / 255), `minus_one_one`
            (x / 127.5 - 1), `min_max` (each image's darkest pixel to 0, its brightest to 1) or `dataset`
            ((x - pixel_mean) / pixel_deviation).
        pixel_mean: of the data set's gray values, 0..255; for `dataset` only.
        pixel_deviation: of the data set's gray values; for `dataset` only.
        crop_margin: how much of a face box's longer side is added on each side before cropping.
        labels: label of each output, in the order of the outputs.
        temperature: divisor of the logits before softmax, fitted on held-out data (Guo et al. 2017,
            "On Calibration of Modern Neural Networks"). 1 means uncalibrated.
        mirror_average: the network averages the logits of an image and of its mirror image.
        metadata: what the weights were made from: data, figures, command, terms.
    """

    architecture: str
    options: Mapping[str, Any] = field(default_factory=dict)
    input_size: int = 48
    normalization: str = "standardize"
    pixel_mean: float = 0.0
    pixel_deviation: float = 1.0
    crop_margin: float = 0.04
    labels: tuple[str, ...] = LABELS
    temperature: float = 1.0
    mirror_average: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        if not 1 <= self.input_size <= _LARGEST_INPUT:
            raise ModelBundleError(f"input_size {self.input_size} is not within 1..{_LARGEST_INPUT}")
        if self.normalization not in NORMALIZATIONS:
            raise ModelBundleError(f"normalization '{self.normalization}' is none of {', '.join(NORMALIZATIONS)}")
        if not (0 <= self.pixel_mean <= 255 and 0 < self.pixel_deviation <= 255):
            raise ModelBundleError(f"pixel_mean {self.pixel_mean}, pixel_deviation {self.pixel_deviation} are no grays")
        if not self.temperature > 0:
            raise ModelBundleError(f"temperature {self.temperature} is not positive")
        if not 0 <= self.crop_margin <= 1:
            raise ModelBundleError(f"crop_margin {self.crop_margin} is not within 0..1")
        if len(set(self.labels)) != len(self.labels) or not self.labels:
            raise ModelBundleError(f"labels {list(self.labels)} are empty or not unique")

    def gray_range(self) -> tuple[float, float] | None:
        """Returns what gray 0 and gray 255 become in an input; None where each image has a scale of its own."""
        if self.normalization in ("standardize", "min_max"):
            return None
        black, white = _normalize(np.array((0, 255), np.float32), self).tolist()
        return black, white


def to_input(crop: NDArray[np.uint8], spec: ModelSpec) -> NDArray[np.float32]:
    """Turns one face crop into one network input.

    Args:
        crop: uint8, (H, W) gray or (H, W, 3) BGR, of any size from 1x1.
        spec: the network's expectations.

    Returns:
        float32 of shape (1, S, S) with S = `spec.input_size`, gray, normalized as the spec says.

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


def _normalize(gray: NDArray[np.float32], spec: ModelSpec) -> NDArray[np.float32]:
    offset, scale = {
        "standardize": lambda: (gray.mean(), max(float(gray.std()), 1.0)),  # a blank image stays near zero
        "min_max": lambda: (gray.min(), max(float(np.ptp(gray)), 1.0)),
        "zero_one": lambda: (0.0, 255.0),
        "minus_one_one": lambda: (127.5, 127.5),
        "dataset": lambda: (spec.pixel_mean, spec.pixel_deviation),
    }[spec.normalization]()
    return np.asarray((gray - offset) / scale, np.float32)
