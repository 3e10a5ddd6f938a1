# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What all image sources share."""

from abc import ABC, abstractmethod
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.types import Frame

DEFAULT_RATE_HZ = 30.0
_FASTEST_RATE_HZ = 1000.0  # some files claim 90,000
_READ_TIMEOUT_S, _READ_TIMEOUT_PERIODS = 1.5, 2.5


class FrameSource(ABC):
    """Gives images one after the other.

    Attributes:
        rate_hz: how many images a second it should give, or should be read at; 0 where a live one does not say.
        is_live: True where `read` waits for the next image; False where it answers at once and the reader paces.
    """

    rate_hz: float
    is_live: bool

    @abstractmethod
    def read(self) -> Frame | None:
        """Returns the next image, or None where the source has ended.

        Raises:
            SourceError: the source has stopped giving images.
        """

    @abstractmethod
    def close(self) -> None:
        """Lets the device or file go; may be called twice."""

    def __enter__(self) -> "FrameSource":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def known_rate_hz(asked_hz: float, own_hz: float) -> float:
    """Returns the rate asked for, or where that is 0 the source's own, or where that makes no sense 0."""
    if asked_hz > 0:
        return asked_hz
    return own_hz if 0 < own_hz <= _FASTEST_RATE_HZ else 0.0


def plausible_rate_hz(asked_hz: float, own_hz: float) -> float:
    """Returns the rate asked for, or where that is 0 the source's own, or where that makes no sense 30."""
    return known_rate_hz(asked_hz, own_hz) or DEFAULT_RATE_HZ


def patience_s(rate_hz: float) -> float:
    """Returns after how long without an image a source is lost: 1.5 s, or more where it is slow; 0 is unknown."""
    return max(_READ_TIMEOUT_S, _READ_TIMEOUT_PERIODS / rate_hz) if rate_hz else _READ_TIMEOUT_S


def fit_within(image_bgr: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scales an image to the largest size within width x height at its own aspect ratio; 0 is no limit."""
    limits = [limit / size for limit, size in ((width, image_bgr.shape[1]), (height, image_bgr.shape[0])) if limit]
    scale = min(limits, default=1.0)
    if scale == 1:
        return image_bgr
    size = max(1, round(image_bgr.shape[1] * scale)), max(1, round(image_bgr.shape[0] * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(image_bgr, size, interpolation=interpolation)  # type: ignore[return-value]
