# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limits the number of faces per frame to what a classifier has time for, and lets faces take turns."""

import math
from collections.abc import Sequence

from emotion_perception.core.types import Face

_SMOOTHING = 0.8  # weight of the old value in the exponential moving average
_MAX_INTERVAL_S = 1.0  # a longer pause is no measurement of the frame rate
_MIN_TIME_LIMIT_S = 0.25  # a hiccup of the machine must not cost faces
# stands for the age of a face without prediction: it comes before the others, which still get turns
_AGE_OF_NEW_S = 2.0
_MIN_WEIGHT = 0.25  # so that the smallest face gets about a quarter of the turns of the largest one


class LoadShedder:
    """Computes how many faces of a frame a classifier has time for.

    It measures two things: the time between the arrivals of frames, dropped ones included, and the time that one face
    takes. One thread may call `arrive` while another one calls the other methods.
    """

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._interval_s: float | None = None
        self._face_s: float | None = None

    def arrive(self, now_s: float) -> None:
        """Adds the arrival of a frame, in seconds of a steady clock."""
        if self._last_s is not None and 0 < now_s - self._last_s <= _MAX_INTERVAL_S:
            self._interval_s = _average(self._interval_s, now_s - self._last_s)
        self._last_s = now_s

    def max_faces(self, max_load: float) -> int | None:
        """Returns the number of faces that there is time for in a frame, at least 1; None is no limit.

        Args:
            max_load: maximum share of the time between frames; 0 is no limit.
        """
        if not max_load or self._interval_s is None or self._face_s is None:
            return None
        return max(1, int(max_load * self._interval_s / self._face_s))

    def time_limit_s(self, max_load: float) -> float:
        """Returns how long the classification of a frame may take, in seconds, whatever was measured before.

        Args:
            max_load: as of `max_faces`; infinity is returned for 0. While the time between frames is unknown it is
                taken for one second.
        """
        interval_s = _MAX_INTERVAL_S if self._interval_s is None else self._interval_s
        return max(_MIN_TIME_LIMIT_S, max_load * interval_s) if max_load else math.inf

    def add_measurement(self, num_faces: int, duration_s: float) -> None:
        """Adds the time that the classification of a number of faces took, in seconds."""
        if num_faces:
            self._face_s = _average(self._face_s, duration_s / num_faces)


def turns(faces: Sequence[Face], ages_s: Sequence[float], count: int | None) -> list[int]:
    """Returns the indices of the faces whose turn it is, most urgent first.

    Those come first whose prediction is oldest; a face of half the side waits twice as long, at most four times.

    Args:
        faces: of one frame.
        ages_s: age of the newest prediction of each face in seconds, NaN where there is none.
        count: maximum number of indices; None is no limit.
    """
    largest = max((face.box.area for face in faces), default=1)

    def urgency(index: int) -> tuple[float, int]:
        age_s, area = ages_s[index], faces[index].box.area
        weight = max(_MIN_WEIGHT, math.sqrt(area / largest))
        return weight * (_AGE_OF_NEW_S if math.isnan(age_s) else age_s), area

    return sorted(range(len(faces)), key=urgency, reverse=True)[:count]


def _average(old: float | None, new: float) -> float:
    return new if old is None else _SMOOTHING * old + (1 - _SMOOTHING) * new
