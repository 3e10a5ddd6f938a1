# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.camera.frame_rate import FrameRateMonitor


def feed(watch, rate_hz, seconds, begin_s=0.0):
    """Adds images at a rate; returns the time after the last."""
    for number in range(round(rate_hz * seconds)):
        watch.add(begin_s + number / rate_hz)
    return begin_s + seconds


def watching(expected_hz):
    watch = FrameRateMonitor()
    watch.expect(expected_hz)
    return watch


@pytest.mark.parametrize(
    ("expected_hz", "rate_hz", "warns"),
    [
        (30.0, 30.0, False),
        (30.0, 28.0, False),
        (30.0, 26.5, True),
        (30.0, 32.5, False),
        (30.0, 34.0, True),
        (0.0, 3.0, False),
        (0.5, 0.5, False),
        (0.5, 0.4, True),
    ],
)
def test_a_rate_that_is_off_by_more_than_a_tenth_is_told(expected_hz, rate_hz, warns):
    watch = watching(expected_hz)
    feed(watch, rate_hz, max(8.0, 20 / rate_hz))
    assert bool(watch.warning()) == warns
    assert watch.measured_hz == pytest.approx(rate_hz, rel=0.01)


def test_nothing_is_said_of_the_first_moments():
    watch = watching(30.0)
    feed(watch, 10.0, 2.0)
    assert watch.warning() == ""


def test_the_line_stays_the_same_until_the_rate_is_fine_again():
    watch = watching(30.0)
    end_s = feed(watch, 15.0, 6.0)
    line = watch.warning()
    assert line == "frame rate 15.0 Hz, expected 30 Hz (framerate)"
    end_s = feed(watch, 12.0, 6.0, end_s)
    assert watch.warning() == line
    end_s = feed(watch, 27.7, 6.0, end_s)  # 7.7 % off
    assert watch.warning() == ""
    feed(watch, 27.2, 6.0, end_s)
    assert watch.warning() == ""


def test_a_rate_at_the_border_is_not_told_again_and_again():
    watch = watching(30.0)
    end_s = feed(watch, 26.0, 6.0)
    line = watch.warning()
    feed(watch, 27.2, 6.0, end_s)
    assert watch.warning() == line != ""


def test_what_came_before_a_loss_is_forgotten():
    watch = watching(30.0)
    feed(watch, 15.0, 6.0)
    assert watch.warning()
    watch.expect(30.0)
    assert (watch.warning(), watch.measured_hz) == ("", 0.0)
