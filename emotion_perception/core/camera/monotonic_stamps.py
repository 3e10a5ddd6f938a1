# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Strictly increasing stamps of images from a clock that may be set back."""

_JUMP_NS = 1_000_000_000


class MonotonicStamps:
    """Computes the stamp of each image: the time at which it was grabbed, but later than the last stamp.

    If the clock stands still or goes back by up to one second, a stamp is one nanosecond after the last one. If the
    last stamp is more than one second ahead of the clock, the clock was set back (a simulation or bag that restarted,
    a corrected clock): the stamps follow it, and filters over time restart.
    """

    def __init__(self) -> None:
        self._last_ns = 0

    def next_ns(self, now_ns: int, age_s: float) -> int:
        """Returns the next stamp, above 0.

        Args:
            now_ns: time of the clock; 0 for a simulated clock that has not started.
            age_s: time since the image was grabbed, in seconds.
        """
        if self._last_ns > now_ns + _JUMP_NS:
            self._last_ns = 0
        self._last_ns = max(now_ns - round(age_s * 1e9), self._last_ns + 1)
        return self._last_ns
