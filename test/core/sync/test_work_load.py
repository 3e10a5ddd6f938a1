# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import pytest
from manual_clock import Clock

from emotion_perception.core.sync.work_load import WorkLoad


def run(load, clock, frames, *, period_s, work_s):
    """Lets frames come at a rate; those that come during the work on another one are dropped."""
    free_s = clock.now_s
    for _ in range(frames):
        load.arrive()
        arrived_s = clock.now_s
        if arrived_s >= free_s:
            load.begin()
            clock.now_s = free_s = arrived_s + work_s
            load.end()
        clock.now_s = arrived_s + period_s


@pytest.mark.parametrize(
    ("period_s", "work_s", "problem"),
    [
        (0.033, 0.020, ""),
        (0.033, 0.040, "a frame takes longer than the time between frames, so frames are dropped"),
        (0.5, 0.4, ""),
        (2.0, 1.5, "a frame takes longer than 1 s"),
    ],
)
def test_a_frame_that_takes_longer_than_its_period_is_a_problem(period_s, work_s, problem):
    clock = Clock()
    load = WorkLoad(clock)
    run(load, clock, 40, period_s=period_s, work_s=work_s)
    assert load.problem() == problem
    times = load.times_ms()
    assert times == {"work_ms": pytest.approx(1e3 * work_s), "period_ms": pytest.approx(1e3 * period_s)}


@pytest.mark.parametrize(("work_s", "keeps_up"), [(0.020, True), (0.029, True), (0.032, False), (0.040, False)])
def test_a_work_that_takes_nearly_all_the_time_does_not_keep_up(work_s, keeps_up):
    clock = Clock()
    load = WorkLoad(clock)
    assert load.keeps_up(), "nothing is known yet"
    run(load, clock, 40, period_s=0.033, work_s=work_s)
    assert load.keeps_up() == keeps_up


def test_a_first_frame_that_takes_longer_than_its_period_does_not_keep_up():
    clock = Clock()
    load = WorkLoad(clock)
    load.arrive()
    load.begin()
    for _ in range(2):
        clock.now_s += 0.033
        load.arrive()
    assert not load.keeps_up()


def test_one_long_pause_does_not_count_as_too_much_work():
    clock = Clock()
    load = WorkLoad(clock)
    run(load, clock, 60, period_s=0.033, work_s=0.010)
    load.begin()
    for _ in range(10):
        clock.now_s += 0.033
        load.arrive()
        assert load.keeps_up()
    load.end()
    assert load.keeps_up()


def test_a_frame_that_is_being_worked_on_counts_too():
    clock = Clock()
    load = WorkLoad(clock)
    load.arrive()
    load.begin()
    clock.now_s += 0.9
    assert load.problem() == ""
    clock.now_s += 0.2
    assert load.problem() == "a frame takes longer than 1 s"
    load.end()
    clock.now_s += 6.0
    assert load.problem() == "", "it was long ago"


def test_nothing_is_known_before_the_first_frame():
    load = WorkLoad()
    assert load.problem() == ""
    assert all(map(math.isnan, load.times_ms().values()))
