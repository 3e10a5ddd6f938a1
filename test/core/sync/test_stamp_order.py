# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import itertools

import pytest

from emotion_perception.core.sync.stamp_order import StampOrder

S = 1_000_000_000
LATE = 5000 * S


def problems(stamps, period_s=0.1):
    """Returns the problem after each stamp."""
    times_s = itertools.count()
    now_s = [0.0]
    order, found = StampOrder(lambda: now_s[0]), []
    for stamp in stamps:
        now_s[0] = next(times_s) * period_s
        order.add(stamp)
        found.append(order.problem())
    return found


def steady(count, start=LATE, step=S // 10):
    return [start + number * step for number in range(count)]


@pytest.mark.parametrize(
    ("stamps", "problem"),
    [
        ([0, 0, 0], "the stamps of images are zero"),
        ([LATE] * 4, "images have the stamp of the image before"),
        (
            [stamp for pair in zip(steady(4, 7 * S), steady(4), strict=True) for stamp in pair],
            "the stamps of images go backward",
        ),
        ([LATE + 1, LATE, LATE + 3, LATE + 2, LATE + 5, LATE + 4, LATE + 7], "the stamps of images go backward"),
    ],
    ids=["zero", "equal", "two sources", "disorder"],
)
def test_three_stamps_that_do_not_increase_are_a_problem(stamps, problem):
    found = problems(stamps)
    assert found[-1] == problem
    assert found[-2] == "", "two may be damaged"


@pytest.mark.parametrize(
    "stamps",
    [
        steady(100),
        steady(20) * 10,
        steady(50) + steady(100, 7 * S),
        steady(50) + steady(100, 9000 * S),
        steady(30) + steady(50, LATE + 28 * S // 10),
        [0, 0, *steady(50)],
        steady(20, -3 * S),
    ],
    ids=["steady", "a loop", "back", "forward", "a clock corrected by 0.2 s", "two zeros", "before 1970"],
)
def test_a_jump_of_the_clock_or_a_loop_is_no_problem(stamps):
    assert set(problems(stamps)) == {""}


def test_two_sources_are_found_after_the_clock_was_set_back():
    mixed = [stamp for number in range(20) for stamp in (7 * S + number * S, 5 * S + number * S)]
    assert problems(steady(50) + steady(30, 7 * S) + [stamp + 30 * S for stamp in mixed])[-1].endswith("go backward")


def test_the_problem_is_over_ten_seconds_after_it():
    found = problems([LATE] * 4 + steady(120, LATE + S), period_s=0.125)
    assert [bool(problem) for problem in found] == [False] * 3 + [True] * 79 + [False] * 42
