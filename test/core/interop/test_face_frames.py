# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from emotion_perception.core.interop import FaceTransformBuilder, face_rotation
from emotion_perception.core.types import Box, Face, HeadPose, Position, PositionSource

HEADER = SimpleNamespace(stamp=SimpleNamespace(sec=7, nanosec=8), frame_id="cam")
POSITION = Position(0.1, -0.2, 1.5, (0.01,) * 9, PositionSource.DEPTH)


def matrix(quaternion):
    """Returns the rotation matrix of x, y, z, w."""
    x, y, z, w = quaternion
    assert math.hypot(x, y, z, w) == pytest.approx(1)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def rotation_of_face_msg(yaw, pitch, roll):
    """Returns Ry(yaw) Rx(pitch) Rz(roll), as Face.msg defines the rotation of the head."""
    (sy, cy), (sp, cp), (sr, cr) = ((math.sin(angle), math.cos(angle)) for angle in (yaw, pitch, roll))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def test_a_face_that_points_at_the_camera_has_the_axes_of_rep_155():
    forward, left, up = matrix(face_rotation(HeadPose(0.0, 0.0, 0.0))).T
    np.testing.assert_allclose(forward, [0, 0, -1], atol=1e-9)  # back along the optical axis
    np.testing.assert_allclose(left, [1, 0, 0], atol=1e-9)  # the person's left is the right side of the image
    np.testing.assert_allclose(up, [0, -1, 0], atol=1e-9)  # y of the image points down


@pytest.mark.parametrize(
    "pose", [(0.4, 0.0, 0.0), (0.0, 0.3, 0.0), (0.0, 0.0, -0.5), (0.4, -0.3, 0.2), (3.1, 1.0, -3.0)]
)
def test_a_face_is_turned_as_its_head_pose_says(pose):
    towards_camera = matrix(face_rotation(HeadPose(0.0, 0.0, 0.0)))
    expected = rotation_of_face_msg(*pose) @ towards_camera
    np.testing.assert_allclose(matrix(face_rotation(HeadPose(*pose))), expected, atol=1e-9)


@pytest.mark.parametrize(("pose", "axis", "sign"), [((0.3, 0, 0), 0, -1), ((0, 0.3, 0), 1, 1)])
def test_yaw_turns_to_the_left_side_of_the_image_and_pitch_down(pose, axis, sign):
    forward = matrix(face_rotation(HeadPose(*pose)))[:, 0]
    assert math.copysign(1, forward[axis]) == sign


def test_without_a_head_pose_a_face_points_back_along_the_optical_axis():
    assert face_rotation(HeadPose()) == face_rotation(HeadPose(0.0, 0.0, 0.0))


def transforms(pose):
    builder = FaceTransformBuilder(lambda name: partial(SimpleNamespace, kind=name))
    return builder.transforms(
        HEADER, Face(Box(0, 0, 9, 9), 0.9, track_id=3, head_pose=pose, position=POSITION), "abcd3"
    )


def test_the_frame_of_a_face_is_at_its_position_below_the_camera():
    face, _ = transforms(HeadPose(0.1, 0.2, 0.3))
    assert (face.header, face.child_frame_id) == (HEADER, "face_abcd3")
    translation = face.transform.translation
    assert (translation.x, translation.y, translation.z) == (0.1, -0.2, 1.5)
    rotation = face.transform.rotation
    assert (rotation.x, rotation.y, rotation.z, rotation.w) == face_rotation(HeadPose(0.1, 0.2, 0.3))


def test_the_gaze_is_an_optical_frame_along_the_face():
    _, gaze = transforms(HeadPose(0.1, 0.2, 0.3))
    assert (gaze.header.stamp, gaze.header.frame_id) == (HEADER.stamp, "face_abcd3")
    assert gaze.child_frame_id == "gaze_abcd3"
    rotation = gaze.transform.rotation
    right, down, along = matrix((rotation.x, rotation.y, rotation.z, rotation.w)).T
    np.testing.assert_allclose(along, [1, 0, 0], atol=1e-9)  # x of the face
    np.testing.assert_allclose(right, [0, -1, 0], atol=1e-9)
    np.testing.assert_allclose(down, [0, 0, -1], atol=1e-9)


def test_without_a_head_pose_there_is_no_gaze():
    assert [transform.child_frame_id for transform in transforms(HeadPose())] == ["face_abcd3"]


@pytest.mark.parametrize(
    ("position", "known"),
    [
        (POSITION, True),
        (Position(), False),
        (POSITION._replace(z=math.nan), False),
        (POSITION._replace(x=math.inf), False),
        (POSITION._replace(source=PositionSource.UNKNOWN), False),
    ],
)
def test_a_position_is_known_where_it_has_a_source_and_is_finite(position, known):
    assert position.known is known
