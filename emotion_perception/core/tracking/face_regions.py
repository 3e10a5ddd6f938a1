# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs the detector on a small region around each known face."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.detection import FaceDetector
from emotion_perception.core.detection.base import non_maximum_suppression
from emotion_perception.core.images import clip_box
from emotion_perception.core.types import Box, Face

REGION_PX = 192
"""Longer side to which a region is scaled; a face is then 96 pixels high. With 160 YuNet loses rotated faces."""

_WIDTH = 2.0  # of a region, in longer sides of the face
_OVERLAP = 0.5  # of two detections, from different regions, of one face


def detect_in_regions(
    detector: FaceDetector, image_bgr: NDArray[np.uint8], expected: Sequence[NDArray[np.float64]]
) -> list[Face]:
    """Returns the faces in the regions around expected ones, each once.

    Args:
        detector: runs on each region.
        image_bgr: uint8 (H, W, 3).
        expected: boxes of faces, float64 (4): x_min, y_min, x_max, y_max in pixels.
    """
    image_wh = image_bgr.shape[1], image_bgr.shape[0]
    faces: list[Face] = []
    for xyxy in expected:
        if (region := region_around(xyxy, image_wh)) is not None:
            faces += detector.detect_region(image_bgr, region, REGION_PX)
    if len(faces) < 2:
        return faces
    boxes = np.array([face.box.xyxy for face in faces], np.float64)
    kept = non_maximum_suppression(boxes, np.array([face.score for face in faces]), _OVERLAP)
    return [faces[index] for index in kept]


def region_around(xyxy: NDArray[np.float64], image_wh: tuple[int, int]) -> Box | None:
    """Returns the square around the center of a box, cut at the image's borders; None if it is outside."""
    center_xy = (xyxy[:2] + xyxy[2:]) / 2
    half = float(np.max(xyxy[2:] - xyxy[:2])) * _WIDTH / 2
    return clip_box((*(center_xy - half), *(center_xy + half)), image_wh)
