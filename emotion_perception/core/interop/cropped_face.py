# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The image of a face as REP-155 publishes it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.rendering.anonymize import anonymized_region
from emotion_perception.core.types import Box

SIDE = 128
"""Width and height in pixels, the defaults of REP-155."""


def crop_face(image_bgr: NDArray[np.uint8], box: Box, anonymizer: str = "none") -> NDArray[np.uint8]:
    """Returns the pixels of a box, scaled with their aspect ratio, centered and padded with black.

    Args:
        image_bgr: uint8 (H, W, 3); not changed.
        box: region of the face, at least partly inside the image.
        anonymizer: `none`, or how the face is made unrecognizable, see `anonymize_faces`.

    Returns:
        uint8 (128, 128, 3).
    """
    region = anonymized_region(image_bgr, box, anonymizer)
    height, width = region.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    scaled = cv2.resize(region, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = scaled
    return canvas
