# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The description of a network that is stored beside its weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.errors import ModelBundleError, clipped
from emotion_perception.core.printable import printable

NORMALIZATIONS = ("standardize", "zero_one", "minus_one_one", "min_max", "dataset")
_LONGEST_LABEL = 100  # characters
_LARGEST_INPUT = 1024  # pixels; larger values are errors in the description


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """The inputs that a network expects and the meaning of its outputs.

    Attributes:
        architecture: name of the network, see `training.architectures`.
        options: keyword arguments of that network.
        input_size: side of the square input, in pixels.
        normalization: `standardize` (each image to mean 0 and deviation 1), `zero_one` (x / 255), `minus_one_one`
            (x / 127.5 - 1), `min_max` (each image's darkest pixel to 0, its brightest to 1) or `dataset`
            ((x - pixel_mean) / pixel_deviation).
        pixel_mean: of the dataset's gray values, 0..255; for `dataset` only.
        pixel_deviation: of the dataset's gray values; for `dataset` only.
        crop_margin: share of a face box's longer side that is added on each side before cropping.
        labels: label of each output, in the order of the outputs.
        temperature: divisor of the logits before softmax, fitted on held-out data (Guo et al. 2017,
            "On Calibration of Modern Neural Networks"). 1 means uncalibrated.
        mirror_average: the network averages the logits of an image and of its mirror image.
        metadata: how the weights were made: data, metrics, command, terms.

    Raises:
        ModelBundleError: a value is out of its range.
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
            raise ModelBundleError(
                f"pixel_mean {self.pixel_mean}, pixel_deviation {self.pixel_deviation} are not gray values of 0..255"
            )
        if not 0.001 <= self.temperature <= 1000:
            raise ModelBundleError(f"temperature {clipped(str(self.temperature))} is not within 0.001..1000")
        if not 0 <= self.crop_margin <= 1:
            raise ModelBundleError(f"crop_margin {self.crop_margin} is not within 0..1")
        if len(set(self.labels)) != len(self.labels) or not self.labels:
            raise ModelBundleError(f"labels {list(self.labels)} are empty or not unique")
        if bad := [label for label in self.labels if len(label) > _LONGEST_LABEL or printable(label) != label]:
            raise ModelBundleError(
                f"label '{clipped(printable(bad[0]))}' has control characters or more than {_LONGEST_LABEL} characters"
            )
