# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limits the number of faces per frame to what a classifier has time for."""

import math
from collections.abc import Sequence

from emotion_perception.core.images import largest
from emotion_perception.core.types import Face

_SMOOTHING = 0.8  # weight of the old value in the exponential moving average
_MAX_INTERVAL_S = 1.0  # a longer pause is no measurement of the frame rate
_MIN_TIME_LIMIT_S = 0.25  # a hiccup of the machine must not cost faces


class LoadShedder:
    """Selects the faces of a frame that a classifier has time for, the largest first.

    It measures two things: the time between frames, and the time that one face takes.
    """

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._interval_s: float | None = None
        self._face_s: float | None = None

    def select(self, faces: Sequence[Face], now_s: float, *, max_load: float) -> list[Face]:
        """Returns the faces that there is time for, in their order, at least one.

        Args:
            faces: of one frame.
            now_s: arrival of the frame, in seconds of a steady clock.
            max_load: maximum share of the time between frames; 0 is no limit.
        """
        self._add_arrival(now_s)
        if not max_load or self._interval_s is None or self._face_s is None:
            return list(faces)
        count = max(1, int(max_load * self._interval_s / self._face_s))
        return largest(faces, count, lambda face: face.box)

    def time_limit_s(self, max_load: float) -> float:
        """Returns how long the classification of a frame may take, in seconds, whatever was measured before.

        Args:
            max_load: as of `select`; infinity is returned for 0. While the time between frames is unknown it is taken
                for one second.
        """
        interval_s = _MAX_INTERVAL_S if self._interval_s is None else self._interval_s
        return max(_MIN_TIME_LIMIT_S, max_load * interval_s) if max_load else math.inf

    def add_measurement(self, num_faces: int, duration_s: float) -> None:
        """Adds the time that the classification of a number of faces took, in seconds."""
        if num_faces:
            self._face_s = _average(self._face_s, duration_s / num_faces)

    def _add_arrival(self, now_s: float) -> None:
        if self._last_s is not None and 0 < now_s - self._last_s <= _MAX_INTERVAL_S:
            self._interval_s = _average(self._interval_s, now_s - self._last_s)
        self._last_s = now_s


def _average(old: float | None, new: float) -> float:
    return new if old is None else _SMOOTHING * old + (1 - _SMOOTHING) * new
