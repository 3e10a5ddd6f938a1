# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import pytest

from emotion_perception.core.classification.load_shedding import LoadShedder
from emotion_perception.core.types import Box, Face


def faces(*sides):
    return [Face(Box(0, 0, side, side), 0.9, track_id=number + 1) for number, side in enumerate(sides)]


def learn(budget, *, interval_s, face_s, frames=30):
    """Lets a budget see frames of three faces at a rate; returns the time of the next one."""
    for frame in range(frames):
        budget.select(faces(10, 30, 20), frame * interval_s, max_load=0.8)
        budget.add_measurement(3, 3 * face_s)
    return frames * interval_s


@pytest.mark.parametrize(
    ("face_s", "max_load", "chosen"),
    [(0.005, 0.8, [1, 2, 3]), (0.012, 0.8, [2, 3]), (0.05, 0.8, [2]), (1.0, 0.8, [2]), (1.0, 0.0, [1, 2, 3])],
)
def test_the_largest_faces_come_first_where_not_all_can_be_served(face_s, max_load, chosen):
    budget = LoadShedder()
    now_s = learn(budget, interval_s=1 / 30, face_s=face_s)
    assert [face.track_id for face in budget.select(faces(10, 30, 20), now_s, max_load=max_load)] == chosen


def test_nothing_is_left_out_before_anything_was_measured():
    assert len(LoadShedder().select(faces(*range(1, 40)), 0.0, max_load=0.8)) == 39


def test_a_pause_is_not_taken_for_a_slow_rate():
    budget = LoadShedder()
    now_s = learn(budget, interval_s=1 / 30, face_s=0.012)
    assert len(budget.select(faces(10, 30, 20), now_s + 3600, max_load=0.8)) == 2


def test_no_face_is_no_trouble():
    budget = LoadShedder()
    now_s = learn(budget, interval_s=0.1, face_s=1.0)
    assert budget.select([], now_s, max_load=0.8) == []
    budget.add_measurement(0, 0.1)


def test_a_classifier_that_is_always_busy_comes_back_into_step():
    budget, now_s, count = LoadShedder(), 0.0, 12
    for _ in range(60):  # 10 ms a face at 30 Hz: three or less can be served
        count = len(budget.select(faces(*range(1, 13)), now_s, max_load=0.8))
        budget.add_measurement(count, count * 0.010)
        now_s += max(1 / 30, count * 0.010)
    assert count == 2


@pytest.mark.parametrize(("arrivals_s", "limit_s"), [([], 0.8), ([0.0], 0.8), ([0.0, 5.0], 0.8), ([0.0, 0.5], 0.4)])
def test_the_time_of_a_frame_is_limited_before_anything_was_measured(arrivals_s, limit_s):
    budget = LoadShedder()
    for now_s in arrivals_s:
        budget.select(faces(10), now_s, max_load=0.8)
    assert budget.time_limit_s(0.8) == pytest.approx(limit_s)
    assert budget.time_limit_s(0.0) == math.inf


def test_a_hiccup_at_a_high_rate_costs_no_face():
    budget = LoadShedder()
    learn(budget, interval_s=1 / 30, face_s=0.001)
    assert budget.time_limit_s(0.8) == 0.25
