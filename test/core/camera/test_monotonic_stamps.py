# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.camera.monotonic_stamps import MonotonicStamps

SECOND = 1_000_000_000


def stamps(*readings):
    """Returns the stamps of images that were taken at once, in seconds of the clock -> nanoseconds."""
    strict = MonotonicStamps()
    return [strict.next_ns(round(now_s * SECOND), 0.0) for now_s in readings]


@pytest.mark.parametrize(
    ("readings_s", "expected_ns"),
    [
        ((10, 11, 12), (10 * SECOND, 11 * SECOND, 12 * SECOND)),
        ((10, 10, 10), (10 * SECOND, 10 * SECOND + 1, 10 * SECOND + 2)),
        ((10, 9.5, 10.1), (10 * SECOND, 10 * SECOND + 1, 10_100_000_000)),
        ((10, 9, 8.9), (10 * SECOND, 10 * SECOND + 1, 8_900_000_000)),
        ((5000, 1400, 1401), (5000 * SECOND, 1400 * SECOND, 1401 * SECOND)),
        ((1400, 5000, 5001), (1400 * SECOND, 5000 * SECOND, 5001 * SECOND)),
        ((0, 0, 0, 7), (1, 2, 3, 7 * SECOND)),
        ((10, 0, 0), (10 * SECOND, 1, 2)),
    ],
    ids=["runs", "stands", "half a second back", "more in all", "an hour back", "an hour on", "not begun", "anew"],
)
def test_stamps_increase_and_follow_a_clock_that_was_set_back(readings_s, expected_ns):
    assert stamps(*readings_s) == list(expected_ns)


def test_a_stamp_is_the_moment_when_the_image_was_taken():
    strict = MonotonicStamps()
    assert strict.next_ns(10 * SECOND, 0.25) == 9_750_000_000
    assert strict.next_ns(10 * SECOND, 0.5) == 9_750_000_001


def test_an_old_image_on_a_clock_that_has_just_begun_has_a_stamp_above_0():
    assert MonotonicStamps().next_ns(0, 0.5) == 1
