# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.camera import RateMeter


@pytest.mark.parametrize(
    ("times_s", "now_s", "hz"),
    [
        ([], 0.0, 0.0),
        ([1.0], 1.0, 0.0),
        ([1.0, 1.0], 1.0, 0.0),
        ([number / 30 for number in range(300)], 10.0, 30.0),
        ([number / 30 for number in range(300)], 16.0, 0.0),  # ended
        ([0.0, 4.0, 8.0], 8.0, 0.25),
        ([0.0, 10.0, 20.0], 20.0, 0.1),
        ([0.0, 10.0, 20.0], 44.0, 0.1),  # the next one is late
        ([0.0, 10.0, 20.0], 46.0, 0.0),
        ([number / 30 for number in range(300)] + [20.0, 30.0], 31.0, 0.1),
    ],
)
def test_a_rate_is_measured_over_the_window_and_a_slow_one_from_the_last_two_events(times_s, now_s, hz):
    meter = RateMeter(5.0)
    for time_s in times_s:
        meter.add(time_s)
    assert meter.hz(now_s) == pytest.approx(hz, rel=0.01)
