# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Gives faces a stable number from frame to frame, by the overlap of their regions with where they are expected."""

import functools
import importlib
import importlib.util
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.images import iou_matrix
from emotion_perception.core.tracking.box_kalman import BoxKalmanFilter
from emotion_perception.core.types import Box, Face

_MOST_MISSED = 256  # unseen tracks that are kept; only stamps that stand still can reach it


@dataclass
class _Track:
    id: int
    box: Box
    seen_s: float
    motion: BoxKalmanFilter


class Tracker:
    """Joins faces to tracks so that their regions overlap most in all, with where each track is expected by now.

    The expectation is a constant velocity (`BoxKalmanFilter`); faces and tracks that are left are joined by the track's last
    region, for somebody who has stopped. The pairs are those of the largest sum of overlaps (Kuhn's assignment, as in
    Bewley et al. 2016, "Simple Online and Realtime Tracking"), among those that overlap enough.

    Numbers begin at 1 and are never given twice, not even after a reset. A track unseen for longer than `max_missed_s`
    of stamp time is forgotten. A stamp that goes backwards (a bag that loops) forgets all tracks.

    Raises:
        ConfigurationError: scipy is not installed.
    """

    def __init__(self) -> None:
        if importlib.util.find_spec("scipy") is None:
            raise ConfigurationError("tracking needs scipy: apt install python3-scipy, or pip install scipy")
        self._tracks: list[_Track] = []  # oldest first
        self._last_id = 0
        self._last_stamp_s = -math.inf

    def reset(self) -> None:
        """Forgets all tracks; numbers go on."""
        self._tracks = []
        self._last_stamp_s = -math.inf

    def update(self, faces: Sequence[Face], stamp_s: float, *, min_iou: float, max_missed_s: float) -> list[Face]:
        """Returns the faces of one frame in the same order, each with its track's number.

        Args:
            faces: what the detector found.
            stamp_s: the image's stamp in seconds.
            min_iou: least overlap with a track's expected or last region, 0..1; regions that do not touch never match.
            max_missed_s: how long a track may be unseen, in seconds.

        Raises:
            ValueError: the stamp is not a finite number.
        """
        if not math.isfinite(stamp_s):
            raise ValueError(f"stamp_s {stamp_s} is not a finite number")
        if stamp_s < self._last_stamp_s:
            self.reset()
        self._advance(stamp_s, max_missed_s)
        matched = self._match(faces, min_iou)
        tracked = [self._follow(face, matched.get(index), stamp_s) for index, face in enumerate(faces)]
        self._forget_beyond_the_most({face.track_id for face in tracked})
        if len(self._tracks) > 1:
            _import_scipy()
        return tracked

    def _advance(self, stamp_s: float, max_missed_s: float) -> None:
        self._tracks = [track for track in self._tracks if stamp_s - track.seen_s <= max_missed_s]
        for track in self._tracks:
            track.motion.advance(stamp_s - self._last_stamp_s)
        self._last_stamp_s = stamp_s

    def _match(self, faces: Sequence[Face], min_iou: float) -> dict[int, _Track]:
        """Returns the track of each face that has one, by the face's index."""
        found = _rows([_xyxy(face.box) for face in faces])
        expected = _rows([track.motion.xyxy for track in self._tracks])
        last = _rows([_xyxy(track.box) for track in self._tracks])
        pairs = best_pairs(iou_matrix(found, expected), min_iou)
        faces_left = [index for index in range(len(found)) if index not in pairs]
        tracks_left = sorted(set(range(len(last))) - set(pairs.values()))
        rest = best_pairs(iou_matrix(found[faces_left], last[tracks_left]), min_iou)
        pairs |= {faces_left[row]: tracks_left[column] for row, column in rest.items()}
        return {row: self._tracks[column] for row, column in pairs.items()}

    def _follow(self, face: Face, track: _Track | None, stamp_s: float) -> Face:
        if track is None:
            self._last_id += 1
            track = _Track(self._last_id, face.box, stamp_s, BoxKalmanFilter(face.box))
            self._tracks.append(track)
        else:
            track.motion.correct(face.box)
            track.box, track.seen_s = face.box, stamp_s
        return replace(face, track_id=track.id)

    def _forget_beyond_the_most(self, seen: set[int]) -> None:
        """Forgets the longest unseen tracks where there are too many of them."""
        missed = sorted((track.seen_s, track.id) for track in self._tracks if track.id not in seen)
        forgotten = {number for _, number in missed[: max(0, len(missed) - _MOST_MISSED)]}
        self._tracks = [track for track in self._tracks if track.id not in forgotten]


def best_pairs(overlaps: NDArray[np.float64], min_iou: float) -> dict[int, int]:
    """Chooses pairs of regions so that their overlaps sum up to the most; no pair below `min_iou` counts or is chosen.

    Args:
        overlaps: float64 (N, M), 0..1.
        min_iou: 0..1.

    Returns:
        Column by row, each at most once.
    """
    allowed = (overlaps > 0) & (overlaps >= min_iou)
    rows, columns = np.nonzero(allowed)
    if len(set(rows)) < len(rows) or len(set(columns)) < len(columns):  # otherwise there is nothing to choose
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(np.where(allowed, overlaps, 0.0), maximize=True)
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if allowed[row, column]}


@functools.cache
def _import_scipy() -> None:
    """Begins to import what chooses, beside the work: it takes half a second, and a single face never needs it."""
    threading.Thread(target=importlib.import_module, args=("scipy.optimize",), name="import-scipy").start()


def _rows(boxes: Sequence[Sequence[float] | NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.array(boxes, np.float64).reshape(-1, 4)


def _xyxy(box: Box) -> tuple[int, int, int, int]:
    return box.x_min, box.y_min, box.x_max, box.y_max
