# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversion between core values and ROS messages: the only file that imports emotion_perception.msg."""

import importlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.time import Time
from std_msgs.msg import Header

from emotion_perception.core.errors import RegionError
from emotion_perception.core.message_adapters import MessageBuilder, face_emotion_from_fields, face_from_fields
from emotion_perception.core.types import Face, FaceEmotion, FrameCounts, ModelInfo, Status
from emotion_perception.msg import EmotionArray, FaceArray
from emotion_perception.msg import Face as FaceMsg

__all__ = [
    "ClassificationResult",
    "EmotionArray",
    "FaceArray",
    "counts_of",
    "emotions_from_msg",
    "faces_from_msg",
    "faces_to_msg",
    "stamp_ns",
]


@dataclass(frozen=True)
class ClassificationResult:
    """What becomes of one FaceArray.

    Attributes:
        source: the FaceArray.
        status: what happened to its image.
        emotions: of its faces, where the status is OK.
        classify_ms: what that cost, in milliseconds.
    """

    source: FaceArray
    status: Status
    emotions: Sequence[FaceEmotion] = ()
    classify_ms: float = 0.0

    def to_msg(self, identity: ModelInfo, now: Time) -> EmotionArray:
        """Builds the EmotionArray under the source's header; `now`, on the node's clock, gives its age."""
        source = self.source
        message: EmotionArray = _BUILDER.emotion_array(
            source.header,
            self.emotions,
            status=self.status,
            faces_omitted=len(source.faces) - len(self.emotions),
            model=identity,
            detect_ms=source.detect_ms,
            classify_ms=self.classify_ms,
            age_ms=(now.nanoseconds - stamp_ns(source.header)) * 1e-6,
            counts=counts_of(source),
        )
        return message


def stamp_ns(header: Header) -> int:
    """Returns a header's stamp in nanoseconds, exactly."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def faces_to_msg(
    header: Header, faces: Sequence[Face], *, detector: str, detect_ms: float, counts: FrameCounts
) -> FaceArray:
    """Builds a FaceArray under the source image's header."""
    message: FaceArray = _BUILDER.face_array(header, faces, detector=detector, detect_ms=detect_ms, counts=counts)
    return message


def faces_from_msg(message: FaceArray) -> list[Face | None]:
    """Returns the faces of a message; None for each whose region, or another of its values, is invalid."""
    return [_face_from_msg(face) for face in message.faces]


def counts_of(message: FaceArray | EmotionArray) -> FrameCounts:
    """Returns the detection node's counts as a message carries them."""
    return FrameCounts(
        received=message.frames_received,
        processed=message.frames_processed,
        dropped=message.frames_dropped,
        failed=message.frames_failed,
    )


def emotions_from_msg(message: EmotionArray) -> list[FaceEmotion]:
    """Returns what an EmotionArray says of each face.

    Raises:
        RegionError: a face's region, or another of its values, is invalid.
    """
    emotions = []
    for entry in message.faces:
        try:
            emotions.append(face_emotion_from_fields(entry))
        except ValueError as e:
            raise RegionError(f"face {entry.face.track_id} is invalid: {e}") from e
    return emotions


def _face_from_msg(message: FaceMsg) -> Face | None:
    try:
        return face_from_fields(message)
    except ValueError:
        return None


def _message_type(name: str) -> Callable[..., Any]:
    """Returns what makes messages of a type from all of its fields; sequences of numbers are given as numpy arrays.

    The constructor of a rosidl class makes a default for each field first, also for those that it is given: a whole
    `Face` for a `FaceEmotion`, five points for a `Face`. Setting the fields of an empty message takes a fifth of that
    time; rclpy's checks of the fields (`ROS_PYTHON_CHECK_FIELDS`) stay as they are.
    """
    package, _, kind = name.split("/")
    message_class: Any = getattr(importlib.import_module(f"{package}.msg"), kind)
    fields = message_class.get_fields_and_field_types()
    sequences = {field: _TYPE_CODES[type_] for field, type_ in fields.items() if type_ in _TYPE_CODES}
    default = message_class()
    internal = {
        slot: getattr(default, slot) for slot in message_class.__slots__ if slot.removeprefix("_") not in fields
    }

    def make(**values: Any) -> Any:
        message = message_class.__new__(message_class)
        for slot, value in internal.items():
            setattr(message, slot, value)
        for field, code in sequences.items():
            values[field] = array(code, values[field].tobytes())
        for field, value in values.items():
            setattr(message, field, value)
        return message

    return make


_TYPE_CODES = {"sequence<float>": "f", "sequence<double>": "d"}
_BUILDER = MessageBuilder(_message_type)
