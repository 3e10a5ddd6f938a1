# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures whether the work on frames keeps up with their arrival."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from statistics import fmean

_WINDOW_S = 5.0
_MAX_FRAMES = 512  # that are remembered of the window
_MIN_FRAMES = 5  # fewer are no measurement
_LONG_S = 1.0
_SPARE = 0.1  # of the time between frames, so that what has queued up is worked off


class WorkLoad:
    """Compares the time that frames take with the time between them; every method may be called from any thread.

    Args:
        clock_s: steady time in seconds.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._arrivals_s: deque[float] = deque(maxlen=_MAX_FRAMES)
        self._work: deque[tuple[float, float]] = deque(maxlen=_MAX_FRAMES)  # end and duration in seconds
        self._begun_s: float | None = None

    def arrive(self) -> None:
        """Notes that a frame has arrived."""
        with self._lock:
            self._arrivals_s.append(self._clock_s())

    def begin(self) -> None:
        """Notes that the work on a frame begins."""
        with self._lock:
            self._begun_s = self._clock_s()

    def end(self) -> None:
        """Notes that the work on the frame has ended."""
        with self._lock:
            if self._begun_s is not None:
                now_s = self._clock_s()
                self._work.append((now_s, now_s - self._begun_s))
                self._begun_s = None

    def times_ms(self) -> dict[str, float]:
        """Returns the means of the last five seconds, in milliseconds: `work_ms` a frame, `period_ms` between frames.

        NaN for what is not known.
        """
        with self._lock:
            return {"work_ms": 1e3 * _mean(self._durations_s()), "period_ms": 1e3 * _mean(self._periods_s())}

    def keeps_up(self) -> bool:
        """Returns whether frames take at most 90 % of the time between them, on average; True while it is not known.

        The time of a frame that is being worked on counts as soon as it is longer than the average.
        """
        with self._lock:
            durations_s, periods_s, current_s = self._durations_s(), self._periods_s(), self._current_s()
        if current_s > (_mean(durations_s) if durations_s else 0.0):
            durations_s.append(current_s)
        if not durations_s or not periods_s:
            return True
        return _mean(durations_s) <= (1 - _SPARE) * _mean(periods_s)

    def problem(self) -> str:
        """Returns in one line that a frame takes too long, e.g. one that is being worked on now; empty if none does."""
        with self._lock:
            durations_s, periods_s, current_s = self._durations_s(), self._periods_s(), self._current_s()
        if max((current_s, *durations_s)) > _LONG_S:
            return f"a frame takes longer than {_LONG_S:.0f} s"
        if min(len(durations_s), len(periods_s)) >= _MIN_FRAMES and _mean(durations_s) > _mean(periods_s):
            return "a frame takes longer than the time between frames, so frames are dropped"
        return ""

    def _current_s(self) -> float:
        """Returns how long the frame that is being worked on has taken so far, 0 if there is none."""
        return 0.0 if self._begun_s is None else self._clock_s() - self._begun_s

    def _durations_s(self) -> list[float]:
        since_s = self._clock_s() - _WINDOW_S
        return [duration_s for end_s, duration_s in self._work if end_s >= since_s]

    def _periods_s(self) -> list[float]:
        since_s = self._clock_s() - _WINDOW_S
        arrivals_s = [arrival_s for arrival_s in self._arrivals_s if arrival_s >= since_s]
        return [later - earlier for earlier, later in itertools.pairwise(arrivals_s)]


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return fmean(values) if values else float("nan")
