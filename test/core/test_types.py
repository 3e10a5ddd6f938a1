# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import pytest

from emotion_perception.core.types import UNKNOWN, Box, Face, FrameCounts, Landmarks, Point


@pytest.mark.parametrize(
    ("corners", "line"),
    [
        ((10, 20, 5, 40), "x_max 5 is not right of x_min 10"),
        ((10, 20, 10, 40), "x_max 10 is not right of x_min 10"),
        ((10, 20, 15, 20), "y_max 20 is not below y_min 20"),
    ],
)
def test_a_box_without_area_is_refused(corners, line):
    with pytest.raises(ValueError, match=line):
        Box(*corners)


def test_a_box_knows_its_measures():
    box = Box(10, 20, 30, 60)
    assert (box.width, box.height, box.area, box.center_xy) == (20, 40, 800, (20.0, 40.0))


@pytest.mark.parametrize(
    "values", [{"score": -0.1}, {"score": 1.1}, {"score": math.nan}, {"score": 0.5, "track_id": -1}]
)
def test_an_impossible_face_is_refused(values):
    with pytest.raises(ValueError, match="score|id"):
        Face(Box(0, 0, 1, 1), **values)


def test_landmarks_are_unknown_until_told():
    marks = Landmarks(nose=Point(3.0, 4.0))
    assert [mark.known for mark in marks] == [False, False, True, False, False]
    assert not UNKNOWN.known


def test_pending_is_what_no_other_count_accounts_for():
    assert FrameCounts(received=10, processed=5, dropped=3, failed=1).pending == 1
