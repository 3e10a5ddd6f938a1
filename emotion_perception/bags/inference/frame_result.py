# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The result of one frame of a recording: its status, emotions and times."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.types import FaceEmotion

PROCESSED = "processed"
DROPPED = "dropped"  # replaced by a newer frame before the detector was free; of a recorded run, without a result
SKIPPED = "skipped"  # replaced by a newer frame before the classifier was free
UNDECODABLE = "undecodable"
FAILED = "failed"  # the detector or the model raised an error
NO_IMAGE = "no_image"  # of a recorded run: the classifier node never received the image
FRAME_STATUSES = (PROCESSED, DROPPED, SKIPPED, UNDECODABLE, FAILED, NO_IMAGE)


@dataclass(frozen=True, eq=False, kw_only=True)
class FrameResult:
    """The result of one frame of a recording.

    Attributes:
        index: position among the images of the topic, from 0.
        stamp_ns: stamp of the image.
        received_ns: time at which the image was recorded.
        status: one of `FRAME_STATUSES`.
        problem: reason why it was not processed, or empty.
        emotions: emotion of each face; empty unless it was processed.
        image_bgr: uint8 (H, W, 3), or None if it was not decoded.
        size: width and height in pixels, None if unknown.
        latency_ms: as described in `metrics.LATENCY_DEFINITIONS`; None without a result.
        age_ms: age of the image when the work on it began, or as recorded; None if frames have no real-time schedule.
        detect_ms: time of detection and tracking; None if it was not measured.
        classify_ms: time of classification; None if it was not measured.
        raw: the image message in CDR; empty if the recording has no images.
    """

    index: int
    stamp_ns: int
    received_ns: int
    status: str
    problem: str = ""
    emotions: tuple[FaceEmotion, ...] = ()
    image_bgr: NDArray[np.uint8] | None = None
    size: tuple[int, int] | None = None
    latency_ms: float | None = None
    age_ms: float | None = None
    detect_ms: float | None = None
    classify_ms: float | None = None
    raw: bytes = b""
