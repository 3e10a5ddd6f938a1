# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Compares the measured frame rate with the expected one."""

from emotion_perception.core.camera.rate_meter import RateMeter

_WINDOW_S, _WINDOW_FRAMES = 5.0, 10  # the longer of the two
_TOLERANCE, _RECOVERED = 0.10, 0.08  # hysteresis, so that a rate at the limit is reported once


class FrameRateMonitor:
    """Measures the frame rate over the last seconds and compares it with the expected one.

    One thread adds, another may read.
    """

    def __init__(self) -> None:
        self.expect(0.0)

    def expect(self, rate_hz: float) -> None:
        """Restarts the measurement with another expected rate; 0 expects nothing."""
        self._meter = RateMeter(max(_WINDOW_S, _WINDOW_FRAMES / rate_hz) if rate_hz else _WINDOW_S)
        self._expected_hz, self._warning = rate_hz, ""

    def add(self, time_s: float) -> None:
        """Adds a frame that was taken at a time of a steady clock."""
        self._meter.add(time_s)

    @property
    def measured_hz(self) -> float:
        """Frames per second; 0 before the second frame."""
        return self._meter.hz()

    def warning(self) -> str:
        """Returns one line if the rate differs by more than 10 % from the expected one, else an empty string.

        The line stays the same until the rate has recovered. Less than half a window of frames is not judged.
        """
        times_s = self._meter.times_s()
        if not self._expected_hz or len(times_s) < 3 or times_s[-1] - times_s[0] < self._meter.window_s / 2:
            return self._warning
        deviation = abs(self.measured_hz / self._expected_hz - 1)
        if deviation <= (_RECOVERED if self._warning else _TOLERANCE):
            self._warning = ""
        elif not self._warning:
            self._warning = f"frame rate {self.measured_hz:.1f} Hz, expected {self._expected_hz:g} Hz (framerate)"
        return self._warning
