# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.tracking.detection_schedule import AUTO, DetectionSchedule


def searched(stamps_s, *, interval=AUTO, duration_s=None, changed=(), max_gap_s=1.0):
    """Returns the stamps at which a search is due."""
    schedule, due = DetectionSchedule(), []
    for stamp_s in stamps_s:
        if schedule.due(stamp_s, interval, max_gap_s, changed=stamp_s in changed):
            schedule.searched(stamp_s, duration_s)
            due.append(stamp_s)
    return due


def stamps(rate_hz, count=90):
    return [number / rate_hz for number in range(count)]


@pytest.mark.parametrize(
    ("rate_hz", "duration_s", "frames"),
    [
        (30, 0.001, 1),
        (30, 0.005, 4),
        (30, 0.0083, 7),
        (30, 0.1, 9),  # a third of a second
        (60, 0.0083, 13),
        (10, 0.005, 2),
        (10, 0.1, 3),
        (5, 0.1, 1),
        (1, 0.1, 1),
        (30, None, 3),  # where nothing is measured
    ],
)
def test_auto_follows_the_duration_of_a_search_and_the_frame_rate(rate_hz, duration_s, frames):
    due = searched(stamps(rate_hz), duration_s=duration_s)[4:]  # the first durations are measured in each frame
    assert np.diff(due) * rate_hz == pytest.approx(frames, abs=1 + 1e-6 if frames == 9 else 1e-6)


@pytest.mark.parametrize("rate_hz", [7, 10, 15, 24, 30, 60, 120])
@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_with_auto_two_searches_are_never_more_than_a_third_of_a_second_apart(rate_hz, lost):
    kept = np.random.default_rng(rate_hz).random(600) >= lost
    given = [stamp_s for stamp_s, keep in zip(stamps(rate_hz, 600), kept, strict=True) if keep]
    due = searched(given, duration_s=0.5)
    gaps_s, steps_s = np.diff(due), dict(zip(given[1:], np.diff(given), strict=True))
    assert len(due) > 10
    late = [gap for gap, stamp_s in zip(gaps_s, due[1:], strict=True) if gap - steps_s[stamp_s] + 1 / rate_hz > 0.334]
    assert not late, "longer only where the frames between were dropped"


def test_a_change_brings_the_search_forward():
    given = stamps(30, 60)
    assert len(searched(given, duration_s=0.0083)) < len(searched(given, duration_s=0.0083, changed=given))


@pytest.mark.parametrize(("interval", "expected"), [(1, 12), (3, 4), (30, 1)])
def test_a_fixed_interval_counts_frames(interval, expected):
    assert len(searched(stamps(30, 12), interval=interval, duration_s=5.0)) == expected


@pytest.mark.parametrize("jump_s", [-0.5, 1.5])
@pytest.mark.parametrize("interval", [AUTO, 30])
def test_a_jump_of_the_stamps_is_searched_at_once(interval, jump_s):
    given = [*stamps(30, 16), 15 / 30 + jump_s]
    assert searched(given, interval=interval)[-1] == given[-1]


def test_the_interval_is_the_mean_of_the_last_ones_and_survives_a_reset():
    schedule = DetectionSchedule()
    assert schedule.interval == 1
    for number in range(200):
        if schedule.due(number / 30, 4, 1.0, changed=False):
            schedule.searched(number / 30, None)
    assert schedule.interval == 4
    schedule.reset()
    assert schedule.due(6.7, 4, 1.0, changed=False)
