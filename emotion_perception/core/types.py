# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The values that travel between the stages: frozen, and checked when they are made."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels: x_min and y_min belong to it, x_max and y_max do not.

    Raises:
        ValueError: a side is not left of, or above, its opposite.
    """

    x_min: int
    y_min: int
    x_max: int
    y_max: int

    def __post_init__(self) -> None:
        if self.x_max <= self.x_min:
            raise ValueError(f"x_max {self.x_max} is not right of x_min {self.x_min}")
        if self.y_max <= self.y_min:
            raise ValueError(f"y_max {self.y_max} is not below y_min {self.y_min}")

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.x_max - self.x_min

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.y_max - self.y_min

    @property
    def area(self) -> int:
        """Area in pixels."""
        return self.width * self.height

    @property
    def center_xy(self) -> tuple[float, float]:
        """Middle of the rectangle in pixels."""
        return (self.x_min + self.x_max) / 2, (self.y_min + self.y_max) / 2


class Point(NamedTuple):
    """A position in pixels of the source image; NaN where unknown."""

    x: float
    y: float

    @property
    def known(self) -> bool:
        """Whether the position is known."""
        return not (math.isnan(self.x) or math.isnan(self.y))


UNKNOWN = Point(math.nan, math.nan)


@dataclass(frozen=True)
class Landmarks:
    """Five points of a face, left and right as the person has them, in the order of the messages."""

    right_eye: Point = UNKNOWN
    left_eye: Point = UNKNOWN
    nose: Point = UNKNOWN
    right_mouth: Point = UNKNOWN
    left_mouth: Point = UNKNOWN

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter((self.right_eye, self.left_eye, self.nose, self.right_mouth, self.left_mouth))


@dataclass(frozen=True)
class Face:
    """One face in one image.

    Attributes:
        box: region in pixels of the source image.
        score: the detector's confidence, 0..1.
        landmarks: five points, unknown ones NaN.
        id: number of the track it belongs to, from 1; 0 before tracking.
    """

    box: Box
    score: float
    landmarks: Landmarks = field(default_factory=Landmarks)
    id: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"score {self.score} is not within 0..1")
        if self.id < 0:
            raise ValueError(f"id {self.id} is negative")


@dataclass(frozen=True, eq=False)
class FaceEmotion:
    """What one face shows.

    Attributes:
        face: the face that was looked at.
        label: label with the highest smoothed probability.
        score: that probability, calibrated, 0..1.
        uncertain: True where the score is below the node's `min_confidence`.
        probabilities: float32 (L), calibrated, of this frame alone, sum 1.
        smoothed_probabilities: float32 (L), sum 1.
    """

    face: Face
    label: str
    score: float
    uncertain: bool
    probabilities: NDArray[np.float32]
    smoothed_probabilities: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Frame:
    """One image of a camera.

    Attributes:
        image_bgr: uint8 (H, W, 3).
        grabbed_s: `time.monotonic()` when it was taken from the device.
    """

    image_bgr: NDArray[np.uint8]
    grabbed_s: float


@dataclass(frozen=True)
class FrameCounts:
    """What became of the frames that reached a node: received = processed + dropped + failed + pending."""

    received: int = 0
    processed: int = 0
    dropped: int = 0
    failed: int = 0

    @property
    def pending(self) -> int:
        """Frames that wait or are being worked on."""
        return self.received - self.processed - self.dropped - self.failed
