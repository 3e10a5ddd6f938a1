# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The time of a recording while it is played."""

NS = 1_000_000_000


class PlaybackClock:
    """Maps a steady clock to the time of a recording.

    Args:
        start_ns: the recording's time at the start, in nanoseconds.
        rate: playback speed relative to real time; 0 stands still.
        start_s: time of the steady clock at the start, in seconds.
    """

    def __init__(self, start_ns: int, rate: float, start_s: float) -> None:
        self._start_ns, self._rate, self._start_s = start_ns, rate, start_s

    def now_ns(self, steady_s: float) -> int:
        """Returns the recording's time, in nanoseconds."""
        return self._start_ns + round((steady_s - self._start_s) * self._rate * NS)

    def due_s(self, recorded_ns: int) -> float:
        """Returns the time of the steady clock, in seconds, of a recorded time; the rate must not be 0."""
        return self._start_s + (recorded_ns - self._start_ns) / NS / self._rate
