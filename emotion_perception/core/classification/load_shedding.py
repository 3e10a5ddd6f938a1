# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""How many faces of a frame a classifier has time for, and which."""

from collections.abc import Sequence

import numpy as np

from emotion_perception.core.types import Face

_MEMORY = 0.8  # share of the old value that a new measurement leaves
_FORGET_S = 1.0  # a longer pause says nothing about the rate


class LoadShedder:
    """Keeps a classifier in step with its input: where all faces take too long, the largest ones come first.

    It learns two things: the time between frames, and what a face costs.
    """

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._interval_s: float | None = None
        self._face_s: float | None = None

    def choose(self, faces: Sequence[Face], now_s: float, *, share: float) -> list[Face]:
        """Returns the faces there is time for, in their order; at least one.

        Args:
            faces: of one frame.
            now_s: when the frame came, in seconds of a steady clock.
            share: of the time between frames that the faces may take; 0 takes all.
        """
        self._note_arrival(now_s)
        if not share or self._interval_s is None or self._face_s is None:
            return list(faces)
        count = max(1, int(share * self._interval_s / self._face_s))
        areas = [-face.box.width * face.box.height for face in faces]
        return [faces[index] for index in sorted(np.argsort(areas, kind="stable")[:count])]

    def measured(self, faces: int, seconds: float) -> None:
        """Learns what so many faces cost."""
        if faces:
            self._face_s = _blend(self._face_s, seconds / faces)

    def _note_arrival(self, now_s: float) -> None:
        if self._last_s is not None and 0 < now_s - self._last_s <= _FORGET_S:
            self._interval_s = _blend(self._interval_s, now_s - self._last_s)
        self._last_s = now_s


def _blend(old: float | None, new: float) -> float:
    return new if old is None else _MEMORY * old + (1 - _MEMORY) * new
