# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages to and from core types: the only file that imports emotion_perception.msg."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from geometry_msgs.msg import Point as PointMsg
from rclpy.time import Time
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header

from emotion_perception.core.classification.classifier import EmotionClassifier
from emotion_perception.core.errors import RegionError
from emotion_perception.core.message_adapters import face_emotion_from_fields, face_from_fields
from emotion_perception.core.types import Face, FaceEmotion, FrameCounts
from emotion_perception.msg import EmotionArray, FaceArray
from emotion_perception.msg import Face as FaceMsg
from emotion_perception.msg import FaceEmotion as FaceEmotionMsg

__all__ = [
    "STATUSES",
    "ClassificationResult",
    "EmotionArray",
    "FaceArray",
    "ModelInfo",
    "counts_of",
    "emotions_from_msg",
    "faces_from_msg",
    "faces_to_msg",
    "stamp_ns",
]


STATUSES = ("OK", "NO_IMAGE", "ERROR", "SKIPPED")
"""Names of the values of EmotionArray.status."""


@dataclass(frozen=True)
class ModelInfo:
    """What an EmotionArray says of the model that made it."""

    labels: tuple[str, ...]
    model: str
    model_sha256: str
    device: str
    fallback: bool

    @classmethod
    def of(cls, classifier: EmotionClassifier) -> "ModelInfo":
        """Returns the identity of a loaded classifier."""
        return cls(
            labels=tuple(classifier.labels),
            model=classifier.model_name,
            model_sha256=classifier.model_sha256,
            device=classifier.device,
            fallback=classifier.fallback,
        )


@dataclass(frozen=True)
class ClassificationResult:
    """What becomes of one FaceArray.

    Attributes:
        source: the FaceArray.
        status: one of EmotionArray's constants.
        emotions: of its faces, where the status is OK.
        classify_ms: what that cost, in milliseconds.
    """

    source: FaceArray
    status: int
    emotions: Sequence[FaceEmotion] = ()
    classify_ms: float = 0.0

    def to_msg(self, identity: ModelInfo, now: Time) -> EmotionArray:
        """Builds the EmotionArray under the source's header; `now`, on the node's clock, gives its age."""
        source = self.source
        return EmotionArray(
            header=source.header,
            status=self.status,
            faces=[_emotion_to_msg(emotion) for emotion in self.emotions],
            faces_omitted=len(source.faces) - len(self.emotions),
            labels=list(identity.labels),
            model=identity.model,
            model_sha256=identity.model_sha256,
            device=identity.device,
            fallback=identity.fallback,
            detect_ms=source.detect_ms,
            classify_ms=self.classify_ms,
            age_ms=(now.nanoseconds - stamp_ns(source.header)) * 1e-6,
            frames_received=source.frames_received,
            frames_processed=source.frames_processed,
            frames_dropped=source.frames_dropped,
            frames_failed=source.frames_failed,
        )


def stamp_ns(header: Header) -> int:
    """Returns a header's stamp in nanoseconds, exactly."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def faces_to_msg(
    header: Header, faces: Sequence[Face], *, detector: str, detect_ms: float, counts: FrameCounts
) -> FaceArray:
    """Builds a FaceArray under the source image's header."""
    return FaceArray(
        header=header,
        faces=[_face_to_msg(face) for face in faces],
        detector=detector,
        detect_ms=detect_ms,
        frames_received=counts.received,
        frames_processed=counts.processed,
        frames_dropped=counts.dropped,
        frames_failed=counts.failed,
    )


def faces_from_msg(message: FaceArray) -> list[Face | None]:
    """Returns the faces of a message; None for each whose region, score or id is impossible."""
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
        RegionError: a face's region is impossible.
    """
    emotions = []
    for entry in message.faces:
        try:
            emotions.append(face_emotion_from_fields(entry))
        except ValueError as e:
            raise RegionError(f"face {entry.face.id} has an impossible region, score or id: {e}") from e
    return emotions


def _face_to_msg(face: Face) -> FaceMsg:
    box = face.box
    return FaceMsg(
        id=face.id,
        roi=RegionOfInterest(x_offset=box.x_min, y_offset=box.y_min, width=box.width, height=box.height),
        score=float(face.score),
        landmarks=[PointMsg(x=float(p.x), y=float(p.y), z=0.0 if p.known else math.nan) for p in face.landmarks],
    )


def _face_from_msg(message: FaceMsg) -> Face | None:
    try:
        return face_from_fields(message)
    except ValueError:
        return None


def _emotion_to_msg(emotion: FaceEmotion) -> FaceEmotionMsg:
    return FaceEmotionMsg(
        face=_face_to_msg(emotion.face),
        label=emotion.label,
        score=float(emotion.score),
        uncertain=bool(emotion.uncertain),
        probabilities=emotion.probabilities.tolist(),
        smoothed_probabilities=emotion.smoothed_probabilities.tolist(),
    )
