# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest

from emotion_perception.core.rendering.markers import FACE_WIDTH_M, FaceMarkers, MarkerLifetime, PinholeCamera
from emotion_perception.core.rendering.overlay import color_of
from emotion_perception.core.types import Box, Face, FaceEmotion

K = [500.0, 0.0, 320.0, 0.0, 400.0, 240.0, 0.0, 0.0, 1.0]
CAMERA = PinholeCamera(fx=500.0, fy=400.0, cx=320.0, cy=240.0)


def emotion(box=(300, 200, 340, 280), *, track=3, label="happiness", uncertain=False):
    row = np.array([0.75, 0.25], np.float32)
    return FaceEmotion(Face(Box(*box), 0.9, track_id=track), label, 0.75, uncertain, row, row)


@pytest.mark.parametrize(
    ("box", "xyz_m"),
    [
        ((300, 200, 340, 280), (0.0, 0.0, 2.0)),  # 40 pixels at f 500: 0.16 m are 2 m away
        ((280, 160, 360, 320), (0.0, 0.0, 1.0)),
        ((550, 200, 590, 280), (1.0, 0.0, 2.0)),  # 250 pixels to the right
        ((300, 400, 340, 480), (0.0, 1.0, 2.0)),  # 200 pixels down, at fy 400
    ],
)
def test_the_width_of_a_box_gives_the_distance_and_its_middle_the_direction(box, xyz_m):
    assert CAMERA.locate(Box(*box)) == pytest.approx(xyz_m)


def test_what_stands_there_comes_back_to_the_same_pixels():
    x, y, z = CAMERA.locate(Box(100, 50, 150, 90))
    assert (x / z * CAMERA.fx + CAMERA.cx, y / z * CAMERA.fy + CAMERA.cy) == pytest.approx((125, 70))
    assert FACE_WIDTH_M / z * CAMERA.fx == pytest.approx(50)


def test_the_camera_comes_from_k():
    assert PinholeCamera.from_k(K) == CAMERA


@pytest.mark.parametrize(
    ("index", "value"),
    [(0, 0.0), (0, -1.0), (4, 0.0), (0, math.nan), (2, math.inf), (5, math.nan), (0, 1e-308), (4, 1e308), (2, -1e300)],
)
def test_a_k_that_is_unknown_or_impossible_is_none(index, value):
    assert PinholeCamera.from_k([*K[:index], value, *K[index + 1 :]]) is None
    assert PinholeCamera.from_k([0.0] * 9) is None


def test_a_face_has_a_shape_and_a_text_in_the_color_of_the_overlay():
    ((marker,), vanished) = FaceMarkers().update([emotion()], CAMERA)
    assert vanished == []
    assert (marker.shape_id, marker.text_id) == (6, 7)
    assert marker.xyz_m == CAMERA.locate(Box(300, 200, 340, 280))
    assert marker.text == "#3 happiness 75%"
    assert marker.rgb == tuple(part / 255 for part in reversed(color_of(emotion())))


@pytest.mark.parametrize("track", [0, 1, 2**29, 2**40 + 5, 2**64 - 1])
def test_ids_fit_a_marker_and_stay_apart(track):
    (markers, _) = FaceMarkers().update([emotion(track=track), emotion(track=track + 1)], CAMERA)
    numbers = [number for marker in markers for number in (marker.shape_id, marker.text_id)]
    assert len(set(numbers)) == 4
    assert all(0 <= number < 2**31 for number in numbers)


def test_markers_of_a_track_that_is_gone_are_named_once():
    faces = FaceMarkers()
    faces.update([emotion(track=1), emotion(track=2)], CAMERA)
    (markers, vanished) = faces.update([emotion(track=2), emotion(track=3)], CAMERA)
    assert [marker.shape_id for marker in markers] == [4, 6]
    assert vanished == [2, 3]
    assert faces.update([], CAMERA) == ([], [4, 5, 6, 7])
    assert faces.update([], CAMERA) == ([], [])


@pytest.mark.parametrize(
    ("stamps_s", "lifetime_s"),
    [
        ([7.0], 60.0),
        ([7.0, 7.0, 6.0], 60.0),
        ([0.0, 0.033, 0.066], 2.0),
        ([0.0, 2.0, 4.0], 6.0),
        ([0.0, 5.0, 5.1, 5.2], 15.0),
        ([0.0, 5.0, 5.1, 5.2, 5.3, 5.4, 5.5], 2.0),
        ([0.0, 2e9], 300.0),
    ],
)
def test_a_lifetime_is_three_times_the_longest_recent_interval_within_limits(stamps_s, lifetime_s):
    lifetime = MarkerLifetime()
    assert [lifetime.update(stamp_s) for stamp_s in stamps_s][-1] == pytest.approx(lifetime_s)
    lifetime.reset()
    assert lifetime.update(1e9) == 60.0
