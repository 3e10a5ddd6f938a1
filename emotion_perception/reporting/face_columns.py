# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The columns of a face in the tables of all commands."""

import math
from collections.abc import Sequence
from typing import Any

from emotion_perception.core.types import FaceEmotion

_BOX = ("x", "y", "w", "h")
_FACE = ("frame", "stamp_ns", "track_id", *_BOX, "detection_score", "label", "score", "uncertain", "prediction_age_s")
_DIGITS = 6


def face_columns(labels: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of the columns of a face; the probabilities of the frame are before the smoothed ones."""
    return (*_FACE, *(f"{kind}_{label}" for kind in ("probability", "smoothed") for label in labels))


def face_cells(frame: int, stamp_ns: int, emotion: FaceEmotion, number_of_labels: int) -> tuple[Any, ...]:
    """Returns the cells of a face; those of unknown probabilities are empty."""
    face, box = emotion.face, emotion.face.box
    unknown = [""] * number_of_labels
    return (
        *(frame, stamp_ns, face.track_id, box.x_min, box.y_min, box.width, box.height, rounded(face.score)),
        *(emotion.label, rounded(emotion.score), int(emotion.uncertain)),
        "" if math.isnan(emotion.prediction_age_s) else rounded(emotion.prediction_age_s),
        *(map(rounded, emotion.probabilities.tolist()) if emotion.classified else unknown),
        *(map(rounded, emotion.smoothed_probabilities.tolist()) if len(emotion.smoothed_probabilities) else unknown),
    )


def rounded(value: float | None) -> float | str:
    """Returns a number for a cell, rounded to six digits; an empty cell for None."""
    return "" if value is None else round(float(value), _DIGITS)
