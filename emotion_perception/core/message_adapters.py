# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversion between core values and this package's messages, for every library that has classes for them.

ROS's own messages (rclpy) and those of recordings (rosbags) have the same fields but different classes. A field of a
message is written in `MessageBuilder` and read in the `*_from_fields` functions, and nowhere else.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from emotion_perception.core.types import (
    UNKNOWN_POSITION,
    Box,
    Face,
    FaceEmotion,
    Facing,
    FrameCounts,
    HeadPose,
    Landmarks,
    ModelInfo,
    Point,
    Position,
    PositionSource,
)

TypeLookup = Callable[[str], Callable[..., Any]]
"""Maps the name of a message type, e.g. `geometry_msgs/msg/Point`, to a function that builds it from all of its fields.

The function takes the fields as keywords: arrays of numbers as numpy arrays of the field's type, other sequences as
lists, scalars as Python scalars.
"""

MAX_RESULT_BYTES = 512 * 1024
"""Maximum size in CDR of a `FaceArray` or `EmotionArray` that is read: about 1,900 faces or 1,300 emotions."""

MAX_FRAME_ID = 1024
"""Maximum number of characters of a frame_id."""

_OWN = "emotion_perception/msg/"


class MessageBuilder:
    """Builds this package's messages from core values.

    Args:
        types: finds the message types of the library.
    """

    def __init__(self, types: TypeLookup) -> None:
        self._face, self._face_array = types(f"{_OWN}Face"), types(f"{_OWN}FaceArray")
        self._face_emotion, self._emotion_array = types(f"{_OWN}FaceEmotion"), types(f"{_OWN}EmotionArray")
        self._region, self._point = types("sensor_msgs/msg/RegionOfInterest"), types("geometry_msgs/msg/Point")

    def face_array(
        self, header: Any, faces: Sequence[Face], *, detector: str, detect_ms: float, counts: FrameCounts
    ) -> Any:
        """Builds a `FaceArray`.

        Args:
            header: of the source image, a message of the same library.
            faces: all faces in the image.
            detector: name of the detector.
            detect_ms: time that detection and tracking took, in milliseconds.
            counts: of the detection node.
        """
        return self._face_array(
            header=header,
            faces=[self._build_face(face) for face in faces],
            detector=detector,
            detect_ms=float(detect_ms),
            frames_received=counts.received,
            frames_processed=counts.processed,
            frames_dropped=counts.dropped,
            frames_failed=counts.failed,
        )

    def emotion_array(
        self,
        header: Any,
        emotions: Sequence[FaceEmotion],
        *,
        status: int,
        faces_omitted: int,
        model: ModelInfo,
        detect_ms: float,
        classify_ms: float,
        age_ms: float,
        counts: FrameCounts,
    ) -> Any:
        """Builds an `EmotionArray`.

        Args:
            header: of the source image, a message of the same library.
            emotions: of the faces in the image.
            status: a value of `Status`.
            faces_omitted: number of faces in the image that are not in `emotions`.
            model: what predicted the emotions.
            detect_ms: time that detection and tracking took, in milliseconds.
            classify_ms: time that classification took, in milliseconds.
            age_ms: age of the image when the message is published, in milliseconds.
            counts: of the detection node.
        """
        return self._emotion_array(
            header=header,
            status=int(status),
            faces=[self._build_emotion(emotion) for emotion in emotions],
            faces_omitted=faces_omitted,
            labels=list(model.labels),
            model=model.model,
            model_sha256=model.model_sha256,
            device=model.device,
            fallback=model.fallback,
            detect_ms=float(detect_ms),
            classify_ms=float(classify_ms),
            age_ms=float(age_ms),
            frames_received=counts.received,
            frames_processed=counts.processed,
            frames_dropped=counts.dropped,
            frames_failed=counts.failed,
        )

    def _build_face(self, face: Face) -> Any:
        box, pose, position, point = face.box, face.head_pose, face.position, self._point
        return self._face(
            track_id=face.track_id,
            roi=self._region(
                x_offset=box.x_min, y_offset=box.y_min, height=box.height, width=box.width, do_rectify=False
            ),
            score=float(face.score),
            landmarks=[point(x=float(p.x), y=float(p.y), z=0.0 if p.known else math.nan) for p in face.landmarks],
            head_yaw=float(pose.yaw),
            head_pitch=float(pose.pitch),
            head_roll=float(pose.roll),
            facing_camera=int(face.facing_camera),
            position=point(x=float(position.x), y=float(position.y), z=float(position.z)),
            position_covariance=np.array(position.covariance, np.float64),
            position_source=int(position.source),
        )

    def _build_emotion(self, emotion: FaceEmotion) -> Any:
        return self._face_emotion(
            face=self._build_face(emotion.face),
            label=emotion.label,
            score=float(emotion.score),
            uncertain=bool(emotion.uncertain),
            probabilities=emotion.probabilities,
            smoothed_probabilities=emotion.smoothed_probabilities,
            prediction_age_s=float(emotion.prediction_age_s),
            baseline_weight=float(emotion.baseline_weight),
            valence=float(emotion.valence),
            arousal=float(emotion.arousal),
            valence_std=float(emotion.valence_std),
            arousal_std=float(emotion.arousal_std),
        )


def face_from_fields(fields: Any) -> Face:
    """Returns the face that a `Face` message describes; one of a recording may be of the first type.

    Raises:
        ValueError: as of `Box` and `Face`.
    """
    roi = fields.roi
    box = Box(roi.x_offset, roi.y_offset, roi.x_offset + roi.width, roi.y_offset + roi.height)
    landmarks = Landmarks(*(Point(point.x, point.y) for point in fields.landmarks))
    if not hasattr(fields, "track_id"):  # of the first type
        return Face(box, fields.score, landmarks, fields.id)
    return Face(
        box=box,
        score=fields.score,
        landmarks=landmarks,
        track_id=fields.track_id,
        head_pose=HeadPose(fields.head_yaw, fields.head_pitch, fields.head_roll),
        facing_camera=Facing(fields.facing_camera),
        position=_position_from_fields(fields),
    )


def _position_from_fields(fields: Any) -> Position:
    source = PositionSource(fields.position_source)
    if source is PositionSource.UNKNOWN:
        return UNKNOWN_POSITION
    point, covariance = fields.position, tuple(map(float, fields.position_covariance))
    return Position(point.x, point.y, point.z, covariance, source)


def emotions_from_fields(message: Any) -> list[FaceEmotion]:
    """Returns the emotions that an `EmotionArray` message describes, in its order.

    Raises:
        ValueError: a face has an invalid region or another invalid value, or its label or the number of its
            probabilities does not belong to the labels of the message.
    """
    emotions, labels = [], message.labels
    for fields in message.faces:
        try:
            emotion = face_emotion_from_fields(fields)
            raw, smoothed = len(emotion.probabilities), len(emotion.smoothed_probabilities)
            # classified, not in this image, not yet
            if (raw, smoothed) not in ((len(labels), len(labels)), (0, len(labels)), (0, 0)):
                raise ValueError(f"{raw} probabilities and {smoothed} smoothed ones for {len(labels)} labels")
            if emotion.label not in (labels if smoothed else [""]):
                raise ValueError(f"'{emotion.label}' is none of the labels that have probabilities")
        except ValueError as e:
            number = fields.face.track_id if hasattr(fields.face, "track_id") else fields.face.id
            raise ValueError(f"face {number} is invalid: {e}") from e
        emotions.append(emotion)
    return emotions


def face_emotion_from_fields(fields: Any) -> FaceEmotion:
    """Returns the emotion that a `FaceEmotion` message describes; one of a recording may be of the first type.

    Raises:
        ValueError: as of `Box`, `Face` and `FaceEmotion`.
    """
    face, label, score, uncertain = face_from_fields(fields.face), fields.label, fields.score, fields.uncertain
    probabilities = np.asarray(fields.probabilities, np.float32)
    smoothed = np.asarray(fields.smoothed_probabilities, np.float32)
    if not hasattr(fields, "prediction_age_s"):  # of the first type
        return FaceEmotion(face, label, score, uncertain, probabilities, smoothed)
    return FaceEmotion(
        face=face,
        label=label,
        score=score,
        uncertain=uncertain,
        probabilities=probabilities,
        smoothed_probabilities=smoothed,
        prediction_age_s=fields.prediction_age_s,
        baseline_weight=fields.baseline_weight,
        valence=fields.valence,
        arousal=fields.arousal,
        valence_std=fields.valence_std,
        arousal_std=fields.arousal_std,
    )
