# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decides in which frames the detector searches the whole image."""

import math
from collections import deque
from statistics import median

AUTO = 0
"""The value of `detection_interval` that leaves the choice to the program."""

MAX_WAIT_S = 1 / 3
"""With `AUTO`, the maximum time between two searches, in seconds of stamp time, as long as frames come in it."""

_SHARE, _SHARE_CHANGED = 0.04, 0.06  # of one core's time for whole images; the second while the scene changes
_WAIT_S, _WAIT_CHANGED_S = 0.1, 0.06  # instead, where no times are measured
_STEPS, _DURATIONS, _GAPS = 15, 9, 15  # that are remembered for the medians and the mean
_MIN_DURATIONS = 3
_JITTER = 0.1  # of the time between frames, by which a stamp may be early


class DetectionSchedule:
    """Decides when to search the whole image, in stamp time: dropped frames count as the time that they take.

    With `AUTO`, the time between two searches follows from how long one takes: they get 4 % of one core's time, 6 %
    while the scene changes elsewhere than at the known faces. The wait is at most `MAX_WAIT_S`; where frames are
    more than half of that apart, every frame is searched. Without durations, fixed times apply, so that the same
    stream gives the same result on every machine.

    Attributes:
        interval: mean number of frames from one search to the next, of the last 15.
    """

    def __init__(self) -> None:
        self.interval = 1.0
        self._steps_s: deque[float] = deque(maxlen=_STEPS)
        self._durations_s: deque[float] = deque(maxlen=_DURATIONS)
        self._gaps: deque[int] = deque(maxlen=_GAPS)
        self._last_s = self._searched_s = -math.inf
        self._frames = 0  # since the last search

    def reset(self) -> None:
        """Forgets the stream: the next frame is searched."""
        self._steps_s.clear()
        self._last_s = self._searched_s = -math.inf

    def due(self, stamp_s: float, interval: int, max_gap_s: float, *, changed: bool) -> bool:
        """Returns whether the whole image of the next frame has to be searched.

        Args:
            stamp_s: its stamp in seconds.
            interval: search every n-th frame, or `AUTO`.
            max_gap_s: after a longer time between two frames, and after a step back, the image is searched.
            changed: whether the scene has changed elsewhere than at the known faces; only `AUTO` depends on it.
        """
        step_s, self._last_s = stamp_s - self._last_s, stamp_s
        self._frames += 1
        if not 0 <= step_s <= max_gap_s:
            self._steps_s.clear()
            return True
        self._steps_s.append(step_s)
        if interval != AUTO:
            return self._frames >= interval
        period_s, waited_s = median(self._steps_s), stamp_s - self._searched_s
        if period_s > MAX_WAIT_S / 2 or waited_s + period_s > MAX_WAIT_S:
            return True
        return waited_s + _JITTER * period_s >= self._wait_s(changed=changed)

    def searched(self, stamp_s: float, duration_s: float | None) -> None:
        """Notes that the whole image of the frame was searched.

        Args:
            stamp_s: its stamp in seconds.
            duration_s: how long the search took; None is not measured.
        """
        self._gaps.append(self._frames)
        self.interval = sum(self._gaps) / len(self._gaps)
        self._searched_s, self._frames = stamp_s, 0
        if duration_s is not None:
            self._durations_s.append(duration_s)

    def _wait_s(self, *, changed: bool) -> float:
        if not self._durations_s:
            return _WAIT_CHANGED_S if changed else _WAIT_S
        if len(self._durations_s) < _MIN_DURATIONS:
            return 0.0
        return median(self._durations_s) / (_SHARE_CHANGED if changed else _SHARE)
