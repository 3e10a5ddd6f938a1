# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversion between core values and ROS messages: the only file that imports emotion_perception.msg and .srv."""

import importlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.time import Time
from std_msgs.msg import Header

from emotion_perception.core.classification.resting_expression import Calibration
from emotion_perception.core.errors import RegionError
from emotion_perception.core.message_adapters import MessageBuilder, emotions_from_fields, face_from_fields
from emotion_perception.core.types import Face, FaceEmotion, FrameCounts, ModelInfo, Status
from emotion_perception.msg import EmotionArray, FaceArray
from emotion_perception.msg import Face as FaceMsg
from emotion_perception.srv import CalibrateNeutral

__all__ = [
    "CalibrateNeutral",
    "ClassificationResult",
    "EmotionArray",
    "FaceArray",
    "calibrations_to_response",
    "counts_of",
    "emotions_from_msg",
    "faces_from_msg",
    "faces_to_msg",
    "stamp_ns",
]


def calibrations_to_response(found: Sequence[Calibration], response: CalibrateNeutral.Response) -> Any:
    """Fills in the response of `CalibrateNeutral`, and returns it.

    Args:
        found: the result for each face; may be empty.
        response: an empty response.
    """
    refused = [calibration for calibration in found if calibration.problem]
    done = f"{len(found) - len(refused)} of {len(found)} faces calibrated"
    reasons = "; ".join(f"face {calibration.track_id}: {calibration.problem}" for calibration in refused[:_NAMED])
    response.success = bool(found) and not refused
    response.message = "no face is seen" if not found else f"{done}; {reasons}" if reasons else done
    response.track_ids = [calibration.track_id for calibration in found]
    response.frames = [calibration.frames for calibration in found]
    response.steadiness = [calibration.steadiness for calibration in found]
    response.problems = [calibration.problem for calibration in found]
    return response


@dataclass(frozen=True)
class ClassificationResult:
    """The result of classifying the faces of one FaceArray.

    Attributes:
        source: the FaceArray.
        status: what happened to its image.
        emotions: emotions of its faces; empty unless the status is OK.
        classify_ms: time that classification took, in milliseconds.
        unread_faces: number of faces that the FaceArray had beside those in `source`.
        image_bgr: the image, uint8 (H, W, 3); None where no face was classified in it.
    """

    source: FaceArray
    status: Status
    emotions: Sequence[FaceEmotion] = ()
    classify_ms: float = 0.0
    unread_faces: int = 0
    image_bgr: NDArray[np.uint8] | None = None

    def to_msg(self, model: ModelInfo, now: Time) -> EmotionArray:
        """Builds the EmotionArray, with the header of the source image.

        Args:
            model: the model that was used.
            now: time of the node's clock, from which the age of the image is computed.
        """
        source = self.source
        message: EmotionArray = _BUILDER.emotion_array(
            source.header,
            self.emotions,
            status=self.status,
            faces_omitted=len(source.faces) + self.unread_faces - len(self.emotions),
            model=model,
            detect_ms=source.detect_ms,
            classify_ms=self.classify_ms,
            age_ms=(now.nanoseconds - stamp_ns(source.header)) * 1e-6,
            counts=counts_of(source),
        )
        return message


def stamp_ns(header: Header) -> int:
    """Returns the stamp of a header in nanoseconds."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def faces_to_msg(
    header: Header, faces: Sequence[Face], *, detector: str, detect_ms: float, counts: FrameCounts
) -> FaceArray:
    """Builds a FaceArray with the header of the source image; arguments as of `MessageBuilder.face_array`."""
    message: FaceArray = _BUILDER.face_array(header, faces, detector=detector, detect_ms=detect_ms, counts=counts)
    return message


def faces_from_msg(message: FaceArray) -> list[Face | None]:
    """Returns the faces of a message in its order; None for a face with an invalid region or another invalid value."""
    return [_face_from_msg(face) for face in message.faces]


def counts_of(message: FaceArray | EmotionArray) -> FrameCounts:
    """Returns the frame counts of the detection node in a message."""
    return FrameCounts(
        received=message.frames_received,
        processed=message.frames_processed,
        dropped=message.frames_dropped,
        failed=message.frames_failed,
    )


def emotions_from_msg(message: EmotionArray) -> list[FaceEmotion]:
    """Returns the emotions in a message, in its order.

    Raises:
        RegionError: as the ValueError of `emotions_from_fields`.
    """
    try:
        return emotions_from_fields(message)
    except ValueError as e:
        raise RegionError(str(e)) from e


def _face_from_msg(message: FaceMsg) -> Face | None:
    try:
        return face_from_fields(message)
    except ValueError:
        return None


def _message_type(name: str) -> Callable[..., Any]:
    """Returns a function that makes messages of a type from all of its fields: the `TypeLookup` of rclpy.

    The constructor of a rosidl class builds a default value for every field, also for those that it is given: a whole
    `Face` for a `FaceEmotion`, five points for a `Face`. An empty message whose fields are then set takes a fifth of
    that time. rclpy checks the values as usual (`ROS_PYTHON_CHECK_FIELDS`).
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
_NAMED = 3  # refused faces in a message
_BUILDER = MessageBuilder(_message_type)
