# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Face crops for people to look at, in reports and on pages of labels."""

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import FrameResult
from emotion_perception.core.errors import RegionError
from emotion_perception.core.images import square_crop
from emotion_perception.core.rendering import anonymize_faces
from emotion_perception.core.types import FaceEmotion
from emotion_perception.reporting.plots import as_data_url

_MARGIN = 0.25  # of the box; wider than the crop of the model, for context


def face_crop(result: FrameResult, emotion: FaceEmotion, *, side: int, mode: str) -> NDArray[np.uint8] | None:
    """Crops a face from a frame.

    Args:
        result: result of the frame.
        emotion: one of the frame's faces.
        side: side of the crop in pixels.
        mode: how all faces of the frame are hidden, see `core.rendering.anonymize_faces`; `none` leaves them visible.

    Returns:
        uint8 (side, side, 3) BGR, or None if the frame has no image or the face is outside of it.
    """
    if result.image_bgr is None:
        return None
    boxes = [other.face.box for other in result.emotions]
    image = result.image_bgr if mode == "none" else anonymize_faces(result.image_bgr, boxes, mode)
    try:
        crop = square_crop(image, emotion.face.box, _MARGIN)
    except RegionError:
        return None
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def as_url(crop_bgr: NDArray[np.uint8]) -> str:
    """Returns a crop as a PNG `data:` URL."""
    return as_data_url(cv2.imencode(".png", crop_bgr)[1].tobytes())
