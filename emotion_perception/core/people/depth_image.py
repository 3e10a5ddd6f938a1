# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Depth images that are registered to color images, and the distance of a face in them."""

import math
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from emotion_perception.core.images import clip_box, depth_of
from emotion_perception.core.types import Box

MAX_DEPTH_IMAGES = 10
"""Maximum number of depth images that wait for their color image."""

MAX_DEPTH_BYTES = 256 * 2**20
"""Maximum size of the depth images that wait; the newest one is kept whatever its size."""

_NEAREST_M, _FARTHEST_M = 0.1, 50.0  # a depth outside is invalid
_FACE_DEPTH_M = 0.15  # pixels farther than this from the median are not of the face
_VALID_SHARE = 0.2  # of the pixels, below which the distance is unknown
_MIN_VALID = 9  # pixels
_MAX_SAMPLES = 4096  # pixels; of a larger region every n-th row and column is taken
_MIN_STD_M = 0.01
_MAD_TO_STD = 1.4826  # of a normal distribution
_SHOWN = 40  # characters of a string of somebody else in a message
_FIRST_PIXEL = Box(0, 0, 1, 1)


class Distance(NamedTuple):
    """The distance of a face along the optical axis, in meters.

    Attributes:
        z_m: the distance.
        std_m: its standard deviation.
    """

    z_m: float
    std_m: float


@dataclass(frozen=True, eq=False)
class DepthImage:
    """A depth image, whose pixels are read only where a face is.

    Attributes:
        stamp_ns: its stamp in nanoseconds.
        message: has the fields of sensor_msgs/Image, see `depth_of`.

    Raises:
        ImageError: as of `depth_of`.
    """

    stamp_ns: int
    message: Any

    def __post_init__(self) -> None:
        depth_of(self.message, _FIRST_PIXEL)  # checks encoding and size

    def mismatch(self, frame_id: str, image_wh: tuple[int, int]) -> str:
        """Returns why it is not registered to a color image, in one line; empty if it may be.

        Args:
            frame_id: of the color image.
            image_wh: its width and height in pixels.
        """
        own, width, height = self.message.header.frame_id, self.message.width, self.message.height
        if own != frame_id:
            return f"its frame is '{own[:_SHOWN]}', that of the images '{frame_id[:_SHOWN]}'"
        if (width, height) != image_wh:
            return f"it has {width}x{height} pixels, the images {image_wh[0]}x{image_wh[1]}"
        return ""

    def distance(self, region: Box) -> Distance | None:
        """Returns the distance of what most of a region shows: the median of the valid depths near their median.

        The standard deviation is that of these depths, estimated from the median absolute deviation, at least 1 cm.

        Args:
            region: in pixels; may reach beyond the image.

        Returns:
            None where less than a fifth of the pixels, or fewer than nine, have a depth of 0.1 to 50 m.
        """
        inside = clip_box(region.xyxy, (self.message.width, self.message.height))
        if inside is None:
            return None
        every = math.ceil(math.sqrt(inside.area / _MAX_SAMPLES))
        depths_m = depth_of(self.message, inside, every=every)
        valid = depths_m[(depths_m >= _NEAREST_M) & (depths_m <= _FARTHEST_M)]  # False for NaN
        if len(valid) < max(_MIN_VALID, _VALID_SHARE * depths_m.size):
            return None
        of_face = valid[np.abs(valid - np.median(valid)) <= _FACE_DEPTH_M]
        if not len(of_face):  # the two middle depths of an even number are far apart, and nothing lies between
            return None
        z_m = float(np.median(of_face))
        std_m = _MAD_TO_STD * float(np.median(np.abs(of_face - z_m)))
        return Distance(z_m, max(std_m, _MIN_STD_M))


class DepthImages:
    """The newest depth images, by stamp; may be used by several threads."""

    def __init__(self) -> None:
        self._images: deque[DepthImage] = deque(maxlen=MAX_DEPTH_IMAGES)
        self._lock = threading.Lock()

    def add(self, image: DepthImage) -> None:
        """Adds an image; the oldest ones are dropped where there are too many."""
        with self._lock:
            self._images.append(image)
            while len(self._images) > 1 and sum(len(kept.message.data) for kept in self._images) > MAX_DEPTH_BYTES:
                self._images.popleft()

    def closest(self, stamp_ns: int, window_s: float) -> DepthImage | None:
        """Returns the image with a stamp, else the one whose stamp is nearest, at most `window_s` away."""
        with self._lock:
            closest = min(self._images, key=lambda image: abs(image.stamp_ns - stamp_ns), default=None)
        if closest is None or abs(closest.stamp_ns - stamp_ns) > window_s * 1e9:
            return None
        return closest
