# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Stamps of images: strictly increasing, on a clock that may be set back."""

_JUMP_NS = 1_000_000_000


class MonotonicStamps:
    """Gives each image the moment it was taken, always later than that of the one before.

    Where the clock stands still or goes back by up to a second, a stamp is one nanosecond after the last. Where the
    last stamp lies more than a second ahead of the clock, the clock was set back (a simulation or bag that began
    again, a wrong clock put right): stamps then follow it, and whoever filters over time begins anew.
    """

    def __init__(self) -> None:
        self._last_ns = 0

    def next_ns(self, now_ns: int, age_s: float) -> int:
        """Returns the next stamp, above 0.

        Args:
            now_ns: what the clock says; 0 for a simulated one that has not begun.
            age_s: how long ago the image was taken.
        """
        if self._last_ns > now_ns + _JUMP_NS:
            self._last_ns = 0
        self._last_ns = max(now_ns - round(age_s * 1e9), self._last_ns + 1)
        return self._last_ns
