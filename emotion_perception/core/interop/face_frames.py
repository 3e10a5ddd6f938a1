# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The TF frames of a face, with the axes of REP-155."""

import math
from typing import Any

from emotion_perception.core.message_adapters import TypeLookup
from emotion_perception.core.types import Face, HeadPose

Quaternion = tuple[float, float, float, float]
"""x, y, z, w."""

_TO_CAMERA: Quaternion = (0.5, 0.5, -0.5, 0.5)
"""Rotation from the camera's optical frame to a face that points back along the optical axis: the face's x (out of the
face) is the camera's -z, its y (to the person's left) is x, its z (to the scalp) is -y."""

_GAZE: Quaternion = (-0.5, 0.5, -0.5, 0.5)
"""Rotation from the face to the gaze, an optical frame: z of the gaze is the face's x, x is -y, y is -z."""


def face_rotation(pose: HeadPose) -> Quaternion:
    """Returns the rotation of a face in the camera's optical frame.

    The axes of the face are those of REP-155: x forward out of the face, y to the person's left, z to the scalp.

    Args:
        pose: of the head; where it is unknown, the face is taken to point back along the optical axis.
    """
    if not pose.known:
        return _TO_CAMERA
    about_y = (0.0, math.sin(pose.yaw / 2), 0.0, math.cos(pose.yaw / 2))
    about_x = (math.sin(pose.pitch / 2), 0.0, 0.0, math.cos(pose.pitch / 2))
    about_z = (0.0, 0.0, math.sin(pose.roll / 2), math.cos(pose.roll / 2))
    return _product(_product(_product(about_y, about_x), about_z), _TO_CAMERA)


class FaceTransformBuilder:
    """Builds the transforms of the frames `face_ID` and `gaze_ID`.

    Args:
        types: finds the message types of the library.
    """

    def __init__(self, types: TypeLookup) -> None:
        self._message, self._stamped = types("tf2_msgs/msg/TFMessage"), types("geometry_msgs/msg/TransformStamped")
        self._header, self._transform = types("std_msgs/msg/Header"), types("geometry_msgs/msg/Transform")
        self._vector, self._quaternion = types("geometry_msgs/msg/Vector3"), types("geometry_msgs/msg/Quaternion")

    def transforms(self, header: Any, face: Face, face_id: str) -> list[Any]:
        """Returns the transforms of a face whose position is known.

        `face_ID` is a child of the camera's frame, at the position of the face, with the axes of `face_rotation`.
        `gaze_ID` is a child of `face_ID` at the same place, with the axes of an optical frame: z along the gaze, which
        is where the face points, x right, y down. It is left out where the head pose is unknown.

        Args:
            header: of the source image.
            face: the face.
            face_id: its id.
        """
        position = face.position
        name, rotation = f"face_{face_id}", face_rotation(face.head_pose)
        found = [self._build(header, name, (position.x, position.y, position.z), rotation)]
        if face.head_pose.known:
            below = self._header(stamp=header.stamp, frame_id=name)
            found.append(self._build(below, f"gaze_{face_id}", (0.0, 0.0, 0.0), _GAZE))
        return found

    def message(self, transforms: list[Any]) -> Any:
        """Returns a `TFMessage`."""
        return self._message(transforms=transforms)

    def _build(self, header: Any, name: str, xyz: tuple[float, float, float], rotation: Quaternion) -> Any:
        x, y, z, w = rotation
        transform = self._transform(
            translation=self._vector(x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2])),
            rotation=self._quaternion(x=x, y=y, z=z, w=w),
        )
        return self._stamped(header=header, child_frame_id=name, transform=transform)


def _product(a: Quaternion, b: Quaternion) -> Quaternion:
    """Returns the quaternion product a * b: first the rotation b, then a."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )
