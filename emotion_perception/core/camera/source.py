# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The interface of camera sources, and what they share."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.types import Frame

DEFAULT_RATE_HZ = 30.0
_FASTEST_RATE_HZ = 1000.0  # some files claim 90,000
_READ_TIMEOUT_S, _READ_TIMEOUT_PERIODS = 1.5, 2.5


class FrameSource(ABC):
    """A source of images.

    Attributes:
        rate_hz: nominal frame rate, at which a source that is not live should be read; 0 if a live one reports none.
        is_live: True if `read` waits for the next image; False if it returns at once and the caller sets the pace.
        skipped: number of images that were left out because they cannot be read.
        frame_count: number of images to expect, of a video as its header tells it; 0 if unknown or without end.
        is_cut: True at the end of a video that has fewer images, and ends earlier, than its header tells.
        path: of the file of the last image, where each image is a file of its own.
    """

    rate_hz: float
    is_live: bool
    skipped: int = 0
    frame_count: int = 0
    is_cut: bool = False
    path: Path | None = None

    @abstractmethod
    def read(self) -> Frame | None:
        """Returns the next image, or None at the end of the source.

        Raises:
            SourceError: the source stopped delivering images.
        """

    @abstractmethod
    def close(self) -> None:
        """Releases the device or file; may be called twice."""

    def __enter__(self) -> "FrameSource":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def nominal_rate_hz(requested_hz: float, own_hz: float) -> float:
    """Returns the requested rate if it is not 0, else the source's own if it is plausible, else 0."""
    if requested_hz > 0:
        return requested_hz
    return own_hz if 0 < own_hz <= _FASTEST_RATE_HZ else 0.0


def nominal_rate_or_default_hz(requested_hz: float, own_hz: float) -> float:
    """Returns the requested rate if it is not 0, else the source's own if it is plausible, else 30."""
    return nominal_rate_hz(requested_hz, own_hz) or DEFAULT_RATE_HZ


def frame_timeout_s(rate_hz: float) -> float:
    """Returns how long a source may deliver no image before it counts as lost: 1.5 s, more at a rate below 1.7 Hz.

    Args:
        rate_hz: nominal frame rate; 0 is unknown.
    """
    return max(_READ_TIMEOUT_S, _READ_TIMEOUT_PERIODS / rate_hz) if rate_hz else _READ_TIMEOUT_S


def fit_within(image_bgr: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scales an image to the largest size that fits, at its own aspect ratio.

    Args:
        image_bgr: uint8 (H, W, 3).
        width: maximum width in pixels; 0 is no limit.
        height: maximum height in pixels; 0 is no limit.

    Returns:
        uint8 (h, w, 3); the image itself if it has that size already.
    """
    limits = [limit / size for limit, size in ((width, image_bgr.shape[1]), (height, image_bgr.shape[0])) if limit]
    scale = min(limits, default=1.0)
    if scale == 1:
        return image_bgr
    size = max(1, round(image_bgr.shape[1] * scale)), max(1, round(image_bgr.shape[0] * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(image_bgr, size, interpolation=interpolation)  # type: ignore[return-value]
