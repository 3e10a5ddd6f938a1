# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.sync.playback_clock import NS, PlaybackClock

START_NS = 1_700_000_000 * NS + 7


@pytest.mark.parametrize(
    ("rate", "steady_s", "seconds"), [(1.0, 50.0, 0.0), (1.0, 52.5, 2.5), (0.2, 55.0, 1.0), (100.0, 50.5, 50.0)]
)
def test_the_recordings_time_goes_at_the_rate(rate, steady_s, seconds):
    clock = PlaybackClock(START_NS, rate, 50.0)
    assert clock.now_ns(steady_s) == START_NS + round(seconds * NS)
    assert clock.due_s(START_NS + round(seconds * NS)) == pytest.approx(steady_s)


def test_at_rate_0_it_stands_still():
    assert PlaybackClock(START_NS, 0.0, 0.0).now_ns(12345.6) == START_NS
