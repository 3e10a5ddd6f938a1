# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import pytest

from emotion_perception.core.classification.load_shedding import LoadShedder, turns
from emotion_perception.core.types import Box, Face

NEW = math.nan


def faces(*sides):
    return [Face(Box(0, 0, side, side), 0.9, track_id=number + 1) for number, side in enumerate(sides)]


def learn(budget, *, interval_s, face_s, frames=30):
    """Lets a budget see frames of three faces at a rate; returns the time of the next one."""
    for frame in range(frames):
        budget.arrive(frame * interval_s)
        budget.add_measurement(3, 3 * face_s)
    return frames * interval_s


@pytest.mark.parametrize(
    ("face_s", "max_load", "count"), [(0.005, 0.8, 5), (0.012, 0.8, 2), (0.05, 0.8, 1), (1.0, 0.8, 1), (1.0, 0.0, None)]
)
def test_the_number_of_faces_follows_from_their_time_and_the_frame_rate(face_s, max_load, count):
    budget = LoadShedder()
    learn(budget, interval_s=1 / 30, face_s=face_s)
    assert budget.max_faces(max_load) == count


def test_there_is_no_limit_before_anything_was_measured():
    budget = LoadShedder()
    budget.arrive(0.0)
    assert budget.max_faces(0.8) is None


def test_a_pause_is_not_taken_for_a_slow_rate():
    budget = LoadShedder()
    now_s = learn(budget, interval_s=1 / 30, face_s=0.012)
    budget.arrive(now_s + 3600)
    assert budget.max_faces(0.8) == 2


def test_no_face_is_no_measurement():
    budget = LoadShedder()
    learn(budget, interval_s=0.1, face_s=0.03)
    budget.add_measurement(0, 100.0)
    assert budget.max_faces(0.8) == 2


@pytest.mark.parametrize(("face_s", "count"), [(0.007, 3), (0.010, 2), (0.030, 1)])
def test_a_classifier_that_cannot_keep_up_comes_back_into_step_and_drops_no_frame(face_s, count):
    budget, free_s, counts, dropped = LoadShedder(), 0.0, [], []
    for frame in range(60):
        now_s = frame / 30
        budget.arrive(now_s)
        dropped.append(now_s < free_s)
        if not dropped[-1]:
            counts.append(budget.max_faces(0.8) or 12)
            budget.add_measurement(counts[-1], counts[-1] * face_s)
            free_s = now_s + counts[-1] * face_s
    assert counts[-1] == count
    assert dropped[0:2] == [False, True]
    assert not any(dropped[20:])


@pytest.mark.parametrize(("arrivals_s", "limit_s"), [([], 0.8), ([0.0], 0.8), ([0.0, 5.0], 0.8), ([0.0, 0.5], 0.4)])
def test_the_time_of_a_frame_is_limited_before_anything_was_measured(arrivals_s, limit_s):
    budget = LoadShedder()
    for now_s in arrivals_s:
        budget.arrive(now_s)
    assert budget.time_limit_s(0.8) == pytest.approx(limit_s)
    assert budget.time_limit_s(0.0) == math.inf


def test_a_hiccup_at_a_high_rate_costs_no_face():
    budget = LoadShedder()
    learn(budget, interval_s=1 / 30, face_s=0.001)
    assert budget.time_limit_s(0.8) == 0.25


@pytest.mark.parametrize(
    ("sides", "ages_s", "order"),
    [
        ((20, 20, 20), (0.1, 0.3, 0.2), [1, 2, 0]),  # the oldest prediction first
        ((10, 30, 20), (0.1, 0.1, 0.1), [1, 2, 0]),  # of equal age the largest first
        ((10, 30, 20), (NEW, 0.1, 0.1), [0, 1, 2]),  # one without prediction first
        ((10, 40, 20), (NEW, NEW, NEW), [1, 2, 0]),
        ((20, 40), (0.25, 0.1), [0, 1]),  # half the side waits twice as long
        ((20, 40), (0.15, 0.1), [1, 0]),
        ((1, 40), (0.45, 0.1), [0, 1]),  # four times at most
        ((20, 20), (NEW, 2.1), [1, 0]),  # those without prediction do not take all turns
        ((), (), []),
    ],
)
def test_the_turn_goes_by_age_and_size(sides, ages_s, order):
    assert turns(faces(*sides), ages_s, None) == order
    assert turns(faces(*sides), ages_s, 1) == order[:1]


def simulate(sides, count, frames):
    """Returns how often each face is classified in frames of which each has time for `count` faces."""
    ages_s, served = [NEW] * len(sides), [0] * len(sides)
    for _ in range(frames):
        chosen = turns(faces(*sides), ages_s, count)
        for index in range(len(sides)):
            ages_s[index] = 0.0 if index in chosen else ages_s[index]
            served[index] += index in chosen
        ages_s = [age_s + 1 / 30 for age_s in ages_s]
    return served


@pytest.mark.guarantee(
    "Of eight equal faces at 30 Hz with time for three a frame each is classified ten times a second.",
    section="Emotion classifier node",
)
def test_faces_take_turns():
    served = simulate([40] * 8, count=3, frames=300)
    assert min(served) >= 100 - 1
    assert sum(served) == 900
    served = simulate([200, 100, 80, 60, 40, 20, 10, 5], count=3, frames=2400)
    assert served == sorted(served, reverse=True)
    assert min(served) >= max(served) / 5
    assert sum(served) == 3 * 2400
