# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faces as people look at them: in a report's worst mistakes, and beside labels to be corrected."""

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import FrameResult
from emotion_perception.core.errors import RegionError
from emotion_perception.core.images.geometry import square_crop
from emotion_perception.core.rendering.anonymize import anonymize
from emotion_perception.core.types import FaceEmotion
from emotion_perception.reporting.plots import as_data_url

_MARGIN = 0.25  # of the face, so that a person sees more than the network


def face_crop(outcome: FrameResult, emotion: FaceEmotion, *, side: int, mode: str) -> NDArray[np.uint8] | None:
    """Cuts one face out of a frame.

    Args:
        outcome: the frame.
        emotion: the face, one of the frame's.
        side: of the crop in pixels.
        mode: how all faces of the frame are hidden, as of `core.anonymize.anonymize`; `none` shows them.

    Returns:
        uint8 (side, side, 3) BGR, or None where the frame has no image or the face no pixel in it.
    """
    if outcome.image_bgr is None:
        return None
    boxes = [other.face.box for other in outcome.emotions]
    image = outcome.image_bgr if mode == "none" else anonymize(outcome.image_bgr, boxes, mode)
    try:
        crop = square_crop(image, emotion.face.box, _MARGIN)
    except RegionError:
        return None
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def as_url(crop_bgr: NDArray[np.uint8]) -> str:
    """Returns a crop as an address that a page carries in itself."""
    return as_data_url(cv2.imencode(".png", crop_bgr)[1].tobytes())
