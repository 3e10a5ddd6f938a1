# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest

from emotion_perception.core.tracking.box_kalman import BoxKalmanFilter
from emotion_perception.core.types import Box


def box(x, y=0.0, side=60.0):
    return Box(round(x), round(y), round(x + side), round(y + side))


def watched(rate_hz, speed, seconds=2.0, growth=0.0, rng=None):
    """Returns the motion of a box that was seen for a while, and where it was last."""
    motion = BoxKalmanFilter(box(0))
    seen = box(0)
    for step in range(1, round(seconds * rate_hz) + 1):
        time_s = step / rate_hz
        jitter = rng.normal(0, 1.5, 2) if rng is not None else (0, 0)
        seen = box(speed * time_s + jitter[0], jitter[1], 60 + growth * time_s)
        motion.advance(1 / rate_hz)
        motion.correct(seen)
    return motion, seen


def test_a_box_seen_once_is_expected_where_it_was():
    motion = BoxKalmanFilter(Box(3, 5, 13, 25))
    motion.advance(0.5)
    assert motion.xyxy.tolist() == [3, 5, 13, 25]


@pytest.mark.parametrize("rate_hz", [5, 10, 30, 60])
@pytest.mark.parametrize("speed", [-90, 0, 150])
def test_a_steady_box_is_expected_where_it_will_be(rate_hz, speed):
    motion, seen = watched(rate_hz, speed)
    motion.advance(0.5)
    np.testing.assert_allclose(motion.xyxy[[0, 2]], [seen.x_min + speed / 2, seen.x_max + speed / 2], atol=6)
    np.testing.assert_allclose(motion.xyxy[[1, 3]], [0, 60], atol=1)


@pytest.mark.parametrize("seed", range(10))
def test_the_expectation_hardly_depends_on_the_rate(seed):
    ends = []
    for rate_hz in (10, 30):
        motion, _ = watched(rate_hz, 90, rng=np.random.default_rng(seed))
        motion.advance(0.5)
        ends.append(motion.xyxy[0])
    assert ends == pytest.approx([225, 225], abs=15), "a quarter of the side after half a second unseen"


def test_one_long_step_is_many_short_ones():
    ends = []
    for steps in (1, 2, 10):
        motion, seen = watched(30, 90)
        for _ in range(steps):
            motion.advance(0.6 / steps)
        motion.correct(box(seen.x_min + 80))  # what the filter makes of it depends on its covariance too
        motion.advance(0.1)
        ends.append(motion.xyxy)
    np.testing.assert_allclose(ends, [ends[0]] * 3, rtol=1e-9)


@pytest.mark.parametrize(("growth", "least", "most"), [(-25, 5, 10), (60, 180, 360)])
def test_a_side_never_vanishes_or_explodes(growth, least, most):
    motion, _ = watched(30, 0, growth=growth)
    motion.advance(20.0)
    x_min, y_min, x_max, y_max = motion.xyxy
    assert least <= x_max - x_min <= most
    assert least <= y_max - y_min <= most


@pytest.mark.parametrize("step_s", [0.0, 1e-9, 60.0, 3600.0, 1e9])
def test_no_step_breaks_the_filter(step_s):
    motion, seen = watched(30, 90)
    for _ in range(50):
        motion.advance(step_s)
        motion.correct(seen)
    assert all(map(math.isfinite, motion.xyxy))
    np.testing.assert_allclose(motion.xyxy, [seen.x_min, seen.y_min, seen.x_max, seen.y_max], atol=2)
