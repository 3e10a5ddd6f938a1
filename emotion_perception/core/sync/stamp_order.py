# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds out whether the stamps of a stream of images increase."""

import time
from collections import deque
from collections.abc import Callable

_ZERO, _EQUAL, _BACKWARD = (
    "the stamps of images are zero",
    "images have the stamp of the image before",
    "the stamps of images go backward",
)
_FAULTS, _WINDOW_S = 3, 10.0  # so many images of one kind in that time are a problem: a driver may repeat one
_RESTART_S = 2.0


class StampOrder:
    """Counts images whose stamp is zero, equals the stamp before, or goes backward.

    A stamp goes backward only if a later one is above all again within two seconds, as with two sources on one topic.
    A clock or recording that jumps back and goes on from there, also in a loop, is no problem.

    Args:
        clock_s: steady time in seconds.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._faults_s: dict[str, deque[float]] = {kind: deque(maxlen=_FAULTS) for kind in (_ZERO, _EQUAL, _BACKWARD)}
        self._last_ns: int | None = None
        self._highest_ns, self._highest_s = -(2**63), clock_s()  # of all stamps, and when it came

    def add(self, stamp_ns: int) -> None:
        """Adds the next image, by its stamp in nanoseconds."""
        now_s = self._clock_s()
        if stamp_ns == 0:
            self._faults_s[_ZERO].append(now_s)
            return
        if stamp_ns == self._last_ns:
            self._faults_s[_EQUAL].append(now_s)
            return
        is_recent = now_s - self._highest_s <= _RESTART_S
        if stamp_ns > self._highest_ns or not is_recent:
            if is_recent and self._last_ns is not None and self._last_ns < self._highest_ns:
                self._faults_s[_BACKWARD].append(now_s)
            self._highest_ns, self._highest_s = stamp_ns, now_s
        self._last_ns = stamp_ns

    def problem(self) -> str:
        """Returns which stamps are wrong, if those of three images were in the last ten seconds; else an empty text."""
        since_s = self._clock_s() - _WINDOW_S
        for kind, faults_s in self._faults_s.items():
            if len(faults_s) == _FAULTS and faults_s[0] >= since_s:
                return kind
        return ""
