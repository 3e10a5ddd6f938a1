# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from people_scene import camera, depth_image, face_at

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.people import PeopleEstimator, PeopleOptions
from emotion_perception.core.people.head_pose import INTEROCULAR_M
from emotion_perception.core.types import (
    UNKNOWN_HEAD_POSE,
    UNKNOWN_POSITION,
    Box,
    Face,
    Facing,
    HeadPose,
    Landmarks,
    Point,
    PositionSource,
)

IMAGE_WH = (640, 480)
OPTIONS = PeopleOptions(head_pose_smoothing_s=0.0)
CAMERA = camera()


def place(face, *, options=OPTIONS, with_camera=CAMERA, depth=None, margin=0.0):
    (placed,) = PeopleEstimator().update([face], 0.0, IMAGE_WH, options, camera=with_camera, depth=depth, margin=margin)
    return placed


def std_along_z(position):
    return math.sqrt(position.covariance[8])


@pytest.mark.guarantee(
    "Without depth the position comes from the distance between the eyes, or the width of the face where that is more "
    "certain; its covariance has the spread among people.",
    section="Positions and head poses",
)
@pytest.mark.parametrize("yaw_deg", [-20, 0, 20])
@pytest.mark.parametrize("at", [(0.0, 0.0, 0.8), (0.4, -0.2, 1.5), (-0.9, 0.3, 3.0)], ids=str)
def test_the_eyes_tell_where_a_face_is_also_a_turned_one(at, yaw_deg):
    pose = HeadPose(math.radians(yaw_deg), 0.1, -0.2)
    placed = place(face_at(at, pose))
    position = placed.position
    assert position.source is PositionSource.INTEROCULAR_DISTANCE
    assert (position.x, position.y, position.z) == pytest.approx(at, rel=0.03, abs=0.02)
    assert placed.head_pose == pytest.approx(pose, abs=0.01)
    assert 0.06 * at[2] < std_along_z(position) < 0.2 * at[2]


def test_a_face_in_profile_has_its_position_from_its_width():
    placed = place(face_at((0.0, 0.0, 1.0), HeadPose(math.radians(80), 0.0, 0.0)))
    assert placed.position.source is PositionSource.FACE_SIZE
    assert placed.position.z == pytest.approx(1.0, rel=0.3)
    assert placed.facing_camera is Facing.NO


def test_without_landmarks_the_width_tells_the_position_and_nothing_the_head_pose():
    placed = place(Face(Box(300, 200, 340, 280), 0.9, track_id=1))
    assert placed.position.source is PositionSource.FACE_SIZE
    assert placed.position.z == pytest.approx(0.13 / 40 * 500, rel=0.01)
    assert (placed.head_pose, placed.facing_camera) == (UNKNOWN_HEAD_POSE, Facing.UNKNOWN)


def test_the_margin_of_a_region_is_no_part_of_the_face_and_a_cut_face_is_uncertain():
    plain = place(Face(Box(300, 200, 340, 280), 0.9, track_id=1)).position
    widened = place(Face(Box(292, 192, 348, 288), 0.9, track_id=1), margin=0.1).position
    cut = place(Face(Box(0, 200, 40, 280), 0.9, track_id=1)).position
    assert widened.z == pytest.approx(plain.z)
    assert std_along_z(cut) > 2 * std_along_z(plain)


def test_the_covariance_lies_along_the_ray():
    position = place(face_at((0.6, 0.0, 1.2))).position
    covariance = np.array(position.covariance).reshape(3, 3)
    values, vectors = np.linalg.eigh(covariance)
    ray = np.array(position[:3]) / np.linalg.norm(position[:3])
    assert abs(vectors[:, 2] @ ray) == pytest.approx(1.0, abs=0.01)
    assert values[0] > 0
    assert values[2] > 10 * values[0]
    assert (covariance == covariance.T).all()


@pytest.mark.parametrize("z_m", [1.1, 2.5])
def test_a_depth_image_comes_first(z_m):
    face = face_at((0.3, -0.1, 1.5))
    position = place(face, depth=depth_image(z_m, face.box)).position
    assert position.source is PositionSource.DEPTH
    assert position.z == pytest.approx(z_m, abs=0.001)
    assert position.x == pytest.approx(0.3 / 1.5 * z_m, rel=0.03)
    assert std_along_z(position) == pytest.approx(0.01, abs=0.002)


@pytest.mark.guarantee(
    "Where a depth image has no valid depth on a face, its size in the image tells the position.",
    section="Positions and head poses",
)
@pytest.mark.parametrize("invalid_m", [0.0, math.nan, math.inf, -1.0])
def test_where_the_depth_is_invalid_the_eyes_tell_the_position(invalid_m):
    face = face_at((0.0, 0.0, 1.5))
    position = place(face, depth=depth_image(invalid_m, face.box)).position
    assert position.source is PositionSource.INTEROCULAR_DISTANCE
    assert position.z == pytest.approx(1.5, rel=0.02)


@pytest.mark.guarantee(
    "With an uncalibrated camera positions are unknown; head poses assume a field of view of 60 degrees.",
    section="Positions and head poses",
)
def test_without_a_camera_there_is_a_head_pose_and_no_position():
    placed = place(face_at((0.0, 0.0, 1.0), HeadPose(0.3, 0.0, 0.0)), with_camera=None)
    assert placed.position == UNKNOWN_POSITION
    assert placed.head_pose.yaw == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(
    ("options", "has_pose", "source"),
    [
        (PeopleOptions(head_pose=False), False, PositionSource.FACE_SIZE),
        (PeopleOptions(positions=False), True, PositionSource.UNKNOWN),
        (PeopleOptions(positions=False, head_pose=False), False, PositionSource.UNKNOWN),
    ],
)
def test_each_part_can_be_switched_off(options, has_pose, source):
    placed = place(face_at((0.0, 0.0, 1.0)), options=options)
    assert placed.head_pose.known == (placed.facing_camera is not Facing.UNKNOWN) == has_pose
    assert placed.position.source is source


def test_a_face_at_the_side_of_the_image_faces_the_camera_when_it_points_to_it():
    away, towards = HeadPose(0.0, 0.0, 0.0), HeadPose(math.atan(0.5), 0.0, 0.0)
    facing = [place(face_at((0.5, 0.0, 1.0), pose)).facing_camera for pose in (away, towards)]
    assert facing == [Facing.NO, Facing.YES]


@pytest.mark.parametrize("value", [math.nan, 1e30, -1e30, 0.0])
def test_hostile_landmarks_give_no_head_pose_and_a_finite_position(value):
    points = Landmarks(*(Point(value, value) for _ in range(5)))
    placed = place(Face(Box(300, 200, 340, 280), 0.9, points, track_id=1))
    assert not placed.head_pose.known
    assert placed.position.source is PositionSource.FACE_SIZE
    assert placed.position.x == pytest.approx(0.0, abs=0.01)
    assert all(map(math.isfinite, placed.position.covariance))


def test_a_lost_angle_below_the_facing_angle_is_refused():
    with pytest.raises(ConfigurationError, match="facing_lost_angle_deg 10.0 is below facing_angle_deg 20.0"):
        PeopleOptions(facing_lost_angle_deg=10.0)


def test_nothing_is_computed_for_no_face():
    assert PeopleEstimator().update([], 0.0, IMAGE_WH, OPTIONS, camera=camera()) == []


def test_people_differ_and_the_standard_deviation_says_by_how_much():
    rng = np.random.default_rng(5)
    errors = []
    for _ in range(300):
        size = rng.normal(INTEROCULAR_M, 0.0038) / INTEROCULAR_M
        pose = HeadPose(rng.uniform(-0.6, 0.6), rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.3))
        at = (rng.uniform(-0.4, 0.4), rng.uniform(-0.3, 0.3), rng.uniform(0.7, 1.5))
        position = place(face_at(at, pose, size=size, noise_px=1.0, rng=rng)).position
        errors.append((position.z - at[2]) / std_along_z(position))
    assert 0.6 < np.mean(np.abs(errors) <= 1) < 0.95
    assert abs(np.mean(errors)) < 0.3
