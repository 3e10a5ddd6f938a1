# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The columns of a face in the tables of all commands."""

import math
from collections.abc import Sequence
from typing import Any

from emotion_perception.core.types import FaceEmotion, Facing, PositionSource

_BOX = ("x", "y", "w", "h")
_FACE = ("frame", "stamp_ns", "track_id", *_BOX, "detection_score", "label", "score", "uncertain", "prediction_age_s")
_HEAD = ("head_yaw", "head_pitch", "head_roll", "facing_camera")
_POSITION = ("position_x", "position_y", "position_z", "position_z_std", "position_source")
_VALENCE_AROUSAL = ("valence", "arousal", "valence_std", "arousal_std")
_DERIVED = (*_HEAD, *_POSITION, *_VALENCE_AROUSAL)
_DIGITS = 6


def face_columns(labels: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of the columns of a face; the probabilities of the frame are before the smoothed ones."""
    return (*_FACE, *_DERIVED, *(f"{kind}_{label}" for kind in ("probability", "smoothed") for label in labels))


def face_cells(frame: int, stamp_ns: int, emotion: FaceEmotion, number_of_labels: int) -> tuple[Any, ...]:
    """Returns the cells of a face; those of unknown values are empty."""
    face, box = emotion.face, emotion.face.box
    unknown = [""] * number_of_labels
    return (
        *(frame, stamp_ns, face.track_id, box.x_min, box.y_min, box.width, box.height, rounded(face.score)),
        *(emotion.label, rounded(emotion.score), int(emotion.uncertain)),
        rounded(_known(emotion.prediction_age_s)),
        *("" if value is None else value for value in derived_values(emotion).values()),
        *(map(rounded, emotion.probabilities.tolist()) if emotion.classified else unknown),
        *(map(rounded, emotion.smoothed_probabilities.tolist()) if len(emotion.smoothed_probabilities) else unknown),
    )


def derived_values(emotion: FaceEmotion) -> dict[str, float | str | None]:
    """Returns head pose, position, valence and arousal by their column; None for what is unknown.

    `facing_camera` is `yes` or `no`, `position_source` the constant of `Face.msg` in lower case.
    """
    face = emotion.face
    position, facing, source = face.position, face.facing_camera, face.position.source
    z_variance = position.covariance[8]
    numbers = {
        **dict(zip(_HEAD, face.head_pose, strict=False)),
        **dict(zip(_POSITION, position[:3], strict=False)),
        "position_z_std": math.sqrt(z_variance) if z_variance >= 0 else math.nan,
        **{name: getattr(emotion, name) for name in _VALENCE_AROUSAL},
    }
    words = {
        "facing_camera": None if facing is Facing.UNKNOWN else facing.name.lower(),
        "position_source": None if source is PositionSource.UNKNOWN else source.name.lower(),
    }
    values: dict[str, float | str | None] = {**words}
    for name, number in numbers.items():
        values[name] = None if _known(number) is None else round(number, _DIGITS)
    return {name: values[name] for name in _DERIVED}


def rounded(value: float | None) -> float | str:
    """Returns a number for a cell, rounded to six digits; an empty cell for None."""
    return "" if value is None else round(float(value), _DIGITS)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
