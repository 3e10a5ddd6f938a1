# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builds `vision_msgs/Detection2DArray` and `Detection3DArray`: faces with the probability of each emotion."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from emotion_perception.core.interop.face_frames import face_rotation
from emotion_perception.core.message_adapters import TypeLookup
from emotion_perception.core.people.face_position import HEAD_POSE_STD
from emotion_perception.core.rendering import FACE_WIDTH_M
from emotion_perception.core.types import Face, FaceEmotion

_TYPES = "vision_msgs/msg/"
_UNKNOWN_VARIANCE = math.pi**2 / 3  # of an angle of which nothing is known
_UNKNOWN_POSITION_VARIANCE = 1e4  # square meters, of a position whose covariance is not known


class DetectionBuilder:
    """Builds messages of vision_msgs 4 with the classes of any library.

    A detection has a hypothesis for each label with its smoothed probability, highest first; none while there is no
    prediction for the face. Its id is the track id.

    Args:
        types: finds the message types of the library.
    """

    def __init__(self, types: TypeLookup) -> None:
        self._array_2d, self._detection_2d = types(f"{_TYPES}Detection2DArray"), types(f"{_TYPES}Detection2D")
        self._array_3d, self._detection_3d = types(f"{_TYPES}Detection3DArray"), types(f"{_TYPES}Detection3D")
        self._box_2d, self._box_3d = types(f"{_TYPES}BoundingBox2D"), types(f"{_TYPES}BoundingBox3D")
        self._pose_2d, self._point_2d = types(f"{_TYPES}Pose2D"), types(f"{_TYPES}Point2D")
        self._hypothesis = types(f"{_TYPES}ObjectHypothesis")
        self._hypothesis_with_pose = types(f"{_TYPES}ObjectHypothesisWithPose")
        self._pose = types("geometry_msgs/msg/Pose")
        self._pose_with_covariance = types("geometry_msgs/msg/PoseWithCovariance")
        self._point, self._quaternion = types("geometry_msgs/msg/Point"), types("geometry_msgs/msg/Quaternion")
        self._vector = types("geometry_msgs/msg/Vector3")

    def detections_2d(self, header: Any, emotions: Sequence[FaceEmotion], labels: Sequence[str]) -> Any:
        """Builds a `Detection2DArray` of all faces, in pixels of the image.

        Args:
            header: of the source image.
            emotions: of the faces in the image.
            labels: of the probabilities.
        """
        made = [
            self._detection_2d(
                header=header,
                results=self._results(emotion, labels),
                bbox=self._build_box_2d(emotion.face),
                id=str(emotion.face.track_id),
            )
            for emotion in emotions
        ]
        return self._array_2d(header=header, detections=made)

    def detections_3d(self, header: Any, emotions: Sequence[FaceEmotion], labels: Sequence[str]) -> Any:
        """Builds a `Detection3DArray` of the faces whose position is known, in meters in the camera's optical frame.

        The box is a cube of 0.16 m around the position, with the axes of REP-155 (see `face_rotation`).
        The pose of each hypothesis is its center with the covariance of the position; where that is not finite, the
        variance of each coordinate is 10,000 square meters. The variance of each angle is that of 6 degrees, or of an
        angle of which nothing is known where the head pose is unknown.

        Args:
            header: of the source image.
            emotions: of the faces in the image.
            labels: of the probabilities.
        """
        made = []
        for emotion in emotions:
            face = emotion.face
            if not face.position.known:
                continue
            pose = self._build_pose(face)
            results = self._results(
                emotion, labels, pose=self._pose_with_covariance(pose=pose, covariance=_covariance(face))
            )
            size = self._vector(x=FACE_WIDTH_M, y=FACE_WIDTH_M, z=FACE_WIDTH_M)
            box = self._box_3d(center=pose, size=size)
            made.append(self._detection_3d(header=header, results=results, bbox=box, id=str(face.track_id)))
        return self._array_3d(header=header, detections=made)

    def _results(self, emotion: FaceEmotion, labels: Sequence[str], **pose: Any) -> list[Any]:
        """Returns the hypotheses; without a pose they have the default one."""
        scores = zip(labels, emotion.smoothed_probabilities.tolist(), strict=False)  # there may be no prediction yet
        return [
            self._hypothesis_with_pose(hypothesis=self._hypothesis(class_id=label, score=score), **pose)
            for label, score in sorted(scores, key=lambda pair: -pair[1])
        ]

    def _build_box_2d(self, face: Face) -> Any:
        x, y = face.box.center_xy
        center = self._pose_2d(position=self._point_2d(x=x, y=y), theta=0.0)
        return self._box_2d(center=center, size_x=float(face.box.width), size_y=float(face.box.height))

    def _build_pose(self, face: Face) -> Any:
        position = face.position
        x, y, z, w = face_rotation(face.head_pose)
        return self._pose(
            position=self._point(x=float(position.x), y=float(position.y), z=float(position.z)),
            orientation=self._quaternion(x=x, y=y, z=z, w=w),
        )


def _covariance(face: Face) -> Any:
    """Returns the covariance of position and rotation, row-major: float64 (36)."""
    covariance, of_position = np.zeros((6, 6)), np.reshape(face.position.covariance, (3, 3))
    is_known = np.isfinite(of_position).all()
    covariance[:3, :3] = of_position if is_known else _UNKNOWN_POSITION_VARIANCE * np.eye(3)
    covariance[range(3, 6), range(3, 6)] = HEAD_POSE_STD**2 if face.head_pose.known else _UNKNOWN_VARIANCE
    return covariance.reshape(-1)
