# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the fields of this package's messages say, whichever library made them: ROS's own or a reader of recordings."""

from typing import Any

import numpy as np

from emotion_perception.core.types import Box, Face, FaceEmotion, Landmarks, Point


def face_from_fields(fields: Any) -> Face:
    """Returns the face that a `Face` message describes.

    Raises:
        ValueError: its region, score or number is impossible.
    """
    roi = fields.roi
    return Face(
        box=Box(roi.x_offset, roi.y_offset, roi.x_offset + roi.width, roi.y_offset + roi.height),
        score=fields.score,
        landmarks=Landmarks(*(Point(point.x, point.y) for point in fields.landmarks)),
        id=fields.id,
    )


def face_emotion_from_fields(fields: Any) -> FaceEmotion:
    """Returns what a `FaceEmotion` message says of one face.

    Raises:
        ValueError: as of `face_from_fields`.
    """
    return FaceEmotion(
        face=face_from_fields(fields.face),
        label=fields.label,
        score=fields.score,
        uncertain=fields.uncertain,
        probabilities=np.asarray(fields.probabilities, np.float32),
        smoothed_probabilities=np.asarray(fields.smoothed_probabilities, np.float32),
    )
