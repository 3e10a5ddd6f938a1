# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import numpy as np
import pytest

from emotion_perception.core.people.head_pose import (
    FACE_MODEL_M,
    INTEROCULAR_M,
    MAX_TRACKS,
    HeadPoseSmoother,
    angle_past_camera,
    place_head,
)
from emotion_perception.core.people.options import PeopleOptions
from emotion_perception.core.types import Facing, HeadPose

UNSMOOTHED = PeopleOptions(head_pose_smoothing_s=0.0)
AHEAD = (0.0, 0.0)


def project(pose, at=(0.1, -0.05, 0.8), model=FACE_MODEL_M):
    """Returns the rays of the face model in a head pose at a position."""
    points = model @ pose.rotation().T + np.array(at)
    return points[:, :2] / points[:, 2:]


def test_the_rotation_is_yaw_times_pitch_times_roll():
    def turn(axis, angle):
        c, s = math.cos(angle), math.sin(angle)
        return {
            "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
            "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
            "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
        }[axis]

    expected = turn("y", 0.5) @ turn("x", -0.25) @ turn("z", 0.125)
    assert HeadPose(0.5, -0.25, 0.125).rotation() == pytest.approx(expected)


@pytest.mark.guarantee(
    "A head pose has the signs of `Face.msg`: yaw to the left of the image, pitch down, roll clockwise.",
    section="Positions and head poses",
)
@pytest.mark.parametrize(
    ("pose", "moved"),
    [
        (HeadPose(0.4, 0.0, 0.0), lambda before, after: after[2, 0] < before[2, 0]),  # the nose to the left
        (HeadPose(0.0, 0.4, 0.0), lambda before, after: after[2, 1] > before[2, 1]),  # the nose down
        (HeadPose(0.0, 0.0, 0.4), lambda before, after: after[1, 1] > before[1, 1]),  # the left eye down
    ],
    ids=["yaw", "pitch", "roll"],
)
def test_each_angle_turns_the_face_as_the_message_says(pose, moved):
    before, after = project(HeadPose(0.0, 0.0, 0.0)), project(pose)
    assert moved(before, after)
    assert place_head(after).pose == pytest.approx(pose, abs=1e-3)


@pytest.mark.parametrize("at", [(0.0, 0.0, 0.4), (0.5, -0.3, 1.0), (-1.0, 0.4, 3.0), (0.0, 0.0, 9.0)], ids=str)
@pytest.mark.parametrize(
    "pose",
    [
        HeadPose(0.0, 0.0, 0.0),
        HeadPose(0.8, 0.2, -0.3),
        HeadPose(-0.8, -0.4, 0.6),
        HeadPose(0.3, 0.5, 3.0),
        HeadPose(-0.2, -0.1, -1.6),
    ],
    ids=str,
)
def test_the_model_is_found_where_it_was_projected_from(pose, at):
    placement = place_head(project(pose, at))
    assert placement.pose == pytest.approx(pose, abs=2e-3)
    assert placement.translation_m == pytest.approx(at, rel=5e-3, abs=1e-3)


def test_the_model_is_a_face():
    right_eye, left_eye, nose, right_mouth, left_mouth = FACE_MODEL_M
    assert left_eye[0] - right_eye[0] == pytest.approx(INTEROCULAR_M, rel=0.01)
    assert right_eye[0] < right_mouth[0] < nose[0] < left_mouth[0] < left_eye[0]
    assert right_eye[1] == left_eye[1] < nose[1] < right_mouth[1] == left_mouth[1]
    assert nose[2] == FACE_MODEL_M[:, 2].min(), "the nose is nearest to the camera"


def degenerate():
    """Yields rays that are no face, with their names."""
    yield "a landmark is unknown", np.vstack(([math.nan, math.nan], project(HeadPose(0, 0, 0))[1:]))
    yield "all in one point", np.zeros((5, 2))
    yield "too far away", project(HeadPose(0, 0, 0), at=(0, 0, 30))
    yield "all on a line", np.column_stack((np.linspace(-0.1, 0.1, 5), np.zeros(5)))
    yield "scattered", np.random.default_rng(1).normal(0, 0.2, (5, 2))
    yield "eyes and mouth swapped", project(HeadPose(0, 0, 0))[[3, 4, 2, 0, 1]] * (1, 3)
    yield (
        "the nose outside of the face",
        project(HeadPose(0, 0, 0)) + np.array([[0, 0]] * 2 + [[0.3, 0]] + [[0, 0]] * 2),
    )
    yield "huge", np.full((5, 2), 1e300) * [[1], [2], [3], [4], [5]]


@pytest.mark.parametrize(("name", "rays"), list(degenerate()), ids=[name for name, _ in degenerate()])
def test_landmarks_that_are_no_face_have_no_head_pose(name, rays):
    assert place_head(rays) is None


def test_left_and_right_exchanged_is_no_face_that_looks_at_the_camera():
    mirrored = project(HeadPose(0.0, 0.0, 0.0), at=(0, 0, 0.8))[[1, 0, 2, 4, 3]]
    assert place_head(mirrored) is None


@pytest.mark.parametrize(
    ("pose", "ray", "degrees"),
    [
        (HeadPose(0.0, 0.0, 0.0), (0.0, 0.0), 0.0),
        (HeadPose(math.radians(30), 0.0, 1.0), (0.0, 0.0), 30.0),
        (HeadPose(0.0, math.radians(-20), -1.0), (0.0, 0.0), 20.0),
        (HeadPose(math.radians(45), 0.0, 0.0), (1.0, 0.0), 0.0),  # at the right of the image, turned to the camera
        (HeadPose(0.0, 0.0, 0.0), (1.0, 0.0), 45.0),  # there, pointing along the optical axis: past the camera
        (HeadPose(0.0, math.radians(45), 0.0), (0.0, -1.0), 0.0),  # above the camera, looking down at it
    ],
)
@pytest.mark.guarantee(
    "`facing_camera` is about the direction from the face to the camera, not about yaw 0.",
    section="Positions and head poses",
)
def test_facing_is_measured_from_the_direction_to_the_camera(pose, ray, degrees):
    assert math.degrees(angle_past_camera(pose, ray)) == pytest.approx(degrees, abs=1e-4)


def feed(smoother, yaws_deg, options, *, step_s=0.1, track=1, start_s=0.0):
    """Returns the results for one track whose yaw goes through some values."""
    results = []
    for index, yaw in enumerate(yaws_deg):
        stamp_s = start_s + index * step_s
        smoother.advance(stamp_s)
        results.append(smoother.update(track, HeadPose(math.radians(yaw), 0.0, 0.0), AHEAD, stamp_s, options))
    return results


def test_facing_has_a_hysteresis():
    options = replace(UNSMOOTHED, facing_angle_deg=20.0, facing_lost_angle_deg=30.0)
    results = feed(HeadPoseSmoother(), [25, 19, 25, 29, 31, 25, 19], options)
    facing = [facing is Facing.YES for _, facing in results]
    assert facing == [False, True, True, True, False, False, True]


@pytest.mark.parametrize("rate_hz", [10, 30])
def test_a_step_reaches_63_percent_after_the_time_constant_at_any_rate(rate_hz):
    options = PeopleOptions(head_pose_smoothing_s=0.5)
    smoother = HeadPoseSmoother()
    results = feed(smoother, [0] + [40] * (rate_hz // 2), options, step_s=1 / rate_hz)
    assert math.degrees(results[-1][0].yaw) == pytest.approx(40 * (1 - math.exp(-1)), rel=1e-6)


def test_an_angle_takes_the_short_way_across_180_degrees():
    smoother, options = HeadPoseSmoother(), PeopleOptions(head_pose_smoothing_s=0.1)
    for stamp_s, roll_deg in ((0.0, 170), (0.1, -170)):
        smoother.advance(stamp_s)
        pose, _ = smoother.update(1, HeadPose(0.0, 0.0, math.radians(roll_deg)), AHEAD, stamp_s, options)
    assert math.degrees(pose.roll) == pytest.approx(170 + 20 * (1 - math.exp(-1)) - 360)


@pytest.mark.parametrize(("gap_s", "expected_deg"), [(1.5, 40.0), (-0.5, 40.0)], ids=["a gap", "stamps go back"])
def test_a_track_starts_anew_after_a_gap_and_where_stamps_go_back(gap_s, expected_deg):
    smoother, options = HeadPoseSmoother(), PeopleOptions(head_pose_smoothing_s=10.0)
    feed(smoother, [0, 0], options, start_s=10.0)
    ((pose, _),) = feed(smoother, [40], options, start_s=10.1 + gap_s)
    assert math.degrees(pose.yaw) == pytest.approx(expected_deg)


def test_the_number_of_tracks_is_bounded():
    smoother = HeadPoseSmoother()
    for track in range(MAX_TRACKS + 10):
        smoother.update(track, HeadPose(0.0, 0.0, 0.0), AHEAD, 0.0, UNSMOOTHED)
    assert len(smoother._tracks) == MAX_TRACKS
