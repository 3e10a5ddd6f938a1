# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Watches whether images come as often as they should."""

from emotion_perception.core.camera.rate_meter import RateMeter

_WINDOW_S, _WINDOW_PICTURES = 5.0, 10  # the longer of the two
_TOLERANCE, _FINE_AGAIN = 0.10, 0.08  # a rate at the border is not told again and again


class FrameRateMonitor:
    """Measures a rate over the last seconds and compares it with the one expected.

    One thread adds, another may ask.
    """

    def __init__(self) -> None:
        self.expect(0.0)

    def expect(self, rate_hz: float) -> None:
        """Forgets what came and begins anew; 0 expects nothing."""
        self._meter = RateMeter(max(_WINDOW_S, _WINDOW_PICTURES / rate_hz) if rate_hz else _WINDOW_S)
        self._expected_hz, self._complaint = rate_hz, ""

    def add(self, time_s: float) -> None:
        """Counts an image that was taken at a moment of a steady clock."""
        self._meter.add(time_s)

    @property
    def measured_hz(self) -> float:
        """Images a second; 0 before there are two."""
        return self._meter.hz()

    def complaint(self) -> str:
        """Returns one line where the rate is off by more than 10 %, else nothing.

        The line stays the same until the rate is fine again. Nothing is said of less than half a window.
        """
        times_s = self._meter.times_s()
        if not self._expected_hz or len(times_s) < 3 or times_s[-1] - times_s[0] < self._meter.window_s / 2:
            return self._complaint
        off = abs(self.measured_hz / self._expected_hz - 1)
        if off <= (_FINE_AGAIN if self._complaint else _TOLERANCE):
            self._complaint = ""
        elif not self._complaint:
            self._complaint = f"{self.measured_hz:.1f} images a second come, not {self._expected_hz:g} (framerate)"
        return self._complaint
