# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the rate of events."""

from collections import deque

_MISSED_PERIODS = 2.5  # a slow stream has ended after so many periods without an event


class RateMeter:
    """Measures a rate over the last seconds; one thread adds, others may read.

    Args:
        window_s: length of the window in seconds.
    """

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self._times_s: deque[float] = deque()

    def add(self, time_s: float) -> None:
        """Adds an event at a time of a steady clock."""
        self._times_s.append(time_s)
        while len(self._times_s) > 2 and time_s - self._times_s[0] > self.window_s:
            self._times_s.popleft()

    def times_s(self, now_s: float | None = None) -> tuple[float, ...]:
        """Returns the times in the window that ends at `now_s`, or at the last event; oldest first."""
        times_s = tuple(self._times_s)
        return times_s if now_s is None else tuple(time_s for time_s in times_s if now_s - time_s <= self.window_s)

    def hz(self, now_s: float | None = None) -> float:
        """Returns the events per second in that window; of the last two events if the window has fewer.

        It is 0 before the second event, and when the last event is more than 2.5 periods and the window ago.
        """
        times_s, last_s = self.times_s(now_s), self.times_s()[-2:]
        if len(times_s) < 2 and len(last_s) == 2:
            period_s, silent_s = last_s[1] - last_s[0], 0.0 if now_s is None else now_s - last_s[1]
            times_s = last_s if silent_s <= _MISSED_PERIODS * period_s else ()
        return (len(times_s) - 1) / (times_s[-1] - times_s[0]) if len(times_s) > 1 and times_s[-1] > times_s[0] else 0.0
