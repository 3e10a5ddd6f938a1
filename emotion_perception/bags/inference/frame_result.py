# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What became of each frame of a recording."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.types import FaceEmotion

PROCESSED = "processed"
DROPPED = "dropped"  # a newer frame came before the detector was free; or a recorded run never answered it
SKIPPED = "skipped"  # a newer frame came before the classifier was free
UNDECODABLE = "undecodable"
FAILED = "failed"  # the detector or the network failed on it
NO_IMAGE = "no_image"  # a recorded run's classifier never had it
OUTCOMES = (PROCESSED, DROPPED, SKIPPED, UNDECODABLE, FAILED, NO_IMAGE)


@dataclass(frozen=True, eq=False, kw_only=True)
class FrameResult:
    """What became of one frame.

    Attributes:
        number: its place among the images, from 0.
        stamp_ns: its stamp.
        received_ns: when it was recorded.
        outcome: one of `OUTCOMES`.
        problem: why it is not processed, or empty.
        emotions: what each face shows; empty where it is not processed.
        image_bgr: uint8 (H, W, 3), or None where nobody decoded it.
        size: width and height in pixels, None where unknown.
        latency_ms: see `figures.LATENCY`; None where there is no answer.
        age_ms: how old it was when the work began, or as the answer says; None where the frames do not come in time.
        detect_ms: time the detector worked on it.
        classify_ms: time the classifier worked on it.
        raw: the image's message in CDR; empty where a recording holds answers only.
    """

    number: int
    stamp_ns: int
    received_ns: int
    outcome: str
    problem: str = ""
    emotions: tuple[FaceEmotion, ...] = ()
    image_bgr: NDArray[np.uint8] | None = None
    size: tuple[int, int] | None = None
    latency_ms: float | None = None
    age_ms: float | None = None
    detect_ms: float | None = None
    classify_ms: float | None = None
    raw: bytes = b""


@dataclass(frozen=True)
class ModelPredictionSource:
    """What gave the answers.

    Attributes:
        labels: label of each probability.
        model: its name.
        model_sha256: of its weights.
        device: where it ran.
    """

    labels: tuple[str, ...]
    model: str
    model_sha256: str
    device: str
