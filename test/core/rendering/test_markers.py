# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest

from emotion_perception.core.rendering.markers import FaceMarkers, MarkerLifetime
from emotion_perception.core.rendering.overlay import color_of
from emotion_perception.core.types import UNKNOWN_POSITION, Box, Face, FaceEmotion, Position, PositionSource

HERE = Position(0.5, -0.25, 2.0, source=PositionSource.DEPTH)


def emotion(*, track=3, label="happiness", uncertain=False, position=HERE):
    row = np.array([0.75, 0.25], np.float32)
    face = Face(Box(300, 200, 340, 280), 0.9, track_id=track, position=position)
    return FaceEmotion(face, label, 0.75, uncertain, row, row)


def test_a_face_has_a_shape_and_a_text_in_the_color_of_the_overlay():
    ((marker,), vanished) = FaceMarkers().update([emotion()])
    assert vanished == []
    assert (marker.shape_id, marker.text_id) == (6, 7)
    assert marker.xyz_m == (0.5, -0.25, 2.0)
    assert marker.text == "#3 happiness 75%"
    assert marker.rgb == tuple(part / 255 for part in reversed(color_of(emotion())))


@pytest.mark.parametrize("position", [UNKNOWN_POSITION, Position(math.inf, 0.0, 1.0), Position(0.0, math.nan, 1.0)])
def test_a_face_without_a_position_has_no_marker(position):
    faces = FaceMarkers()
    faces.update([emotion()])
    assert faces.update([emotion(position=position)]) == ([], [6, 7])


@pytest.mark.parametrize("track", [0, 1, 2**29, 2**40 + 5, 2**64 - 1])
def test_ids_fit_a_marker_and_stay_apart(track):
    (markers, _) = FaceMarkers().update([emotion(track=track), emotion(track=track + 1)])
    numbers = [number for marker in markers for number in (marker.shape_id, marker.text_id)]
    assert len(set(numbers)) == 4
    assert all(0 <= number < 2**31 for number in numbers)


def test_markers_of_a_track_that_is_gone_are_named_once():
    faces = FaceMarkers()
    faces.update([emotion(track=1), emotion(track=2)])
    (markers, vanished) = faces.update([emotion(track=2), emotion(track=3)])
    assert [marker.shape_id for marker in markers] == [4, 6]
    assert vanished == [2, 3]
    assert faces.update([]) == ([], [4, 5, 6, 7])
    assert faces.update([]) == ([], [])


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
