# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Assigns faces of consecutive frames to tracks, by the overlap of their regions with predicted ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.images import iou_matrix
from emotion_perception.core.tracking.assignment import best_pairs
from emotion_perception.core.tracking.box_kalman import BoxKalmanFilter
from emotion_perception.core.types import Box, Face

_MAX_MISSED_TRACKS = 256  # reached only if the stamps stand still


@dataclass(frozen=True, eq=False)
class ExpectedFace:
    """Where the face of a track should be in the next frame.

    Attributes:
        track_id: of the track.
        xyxy: float64 (4), x_min, y_min, x_max, y_max in pixels. If the last frame showed the face, moved by as much as
            since the one before, because the filter takes a few frames to follow a fast face; otherwise predicted.
        seen_s: stamp of its last detection, in seconds.
        in_last_frame: whether the last frame showed it.
    """

    track_id: int
    xyxy: NDArray[np.float64]
    seen_s: float
    in_last_frame: bool


@dataclass
class _Track:
    id: int
    box: Box
    seen_s: float
    motion: BoxKalmanFilter
    speed_xy: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))  # pixels/s, between the last two boxes

    def expected(self, stamp_s: float, *, in_last_frame: bool) -> ExpectedFace:
        """Returns where the face should be in the next frame."""
        moved = np.array(self.box.xyxy) + np.tile(self.speed_xy * (stamp_s - self.seen_s), 2)
        return ExpectedFace(self.id, moved if in_last_frame else self.motion.xyxy, self.seen_s, in_last_frame)

    def see(self, box: Box, stamp_s: float) -> None:
        """Updates the track with a detection."""
        self.motion.correct(box)
        if stamp_s > self.seen_s:
            self.speed_xy = np.subtract(box.center_xy, self.box.center_xy) / (stamp_s - self.seen_s)
        self.box, self.seen_s = box, stamp_s


class Tracker:
    """Assigns the faces of a stream to tracks so that the sum of overlaps with the tracks' regions is largest.

    The region of a track is predicted with constant velocity (`BoxKalmanFilter`); faces and tracks that remain are
    matched by the track's last region, for a person who has stopped. Pairs are chosen by the Hungarian algorithm, as in
    Bewley et al. 2016, "Simple Online and Realtime Tracking", among those that overlap enough.

    Track ids start at 1 and are never reused, not even after a reset. A track without detection for longer than
    `max_missed_s` of stamp time is removed. A stamp that goes backwards (a bag that loops) removes all tracks.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []  # oldest first
        self._last_id = 0
        self._last_stamp_s = -math.inf

    def reset(self) -> None:
        """Removes all tracks; ids are not reused."""
        self._tracks = []
        self._last_stamp_s = -math.inf

    def update(self, faces: Sequence[Face], stamp_s: float, *, min_iou: float, max_missed_s: float) -> list[Face]:
        """Returns the faces of the next frame in the same order, each with its track id.

        Args:
            faces: detections of the frame.
            stamp_s: the image's stamp in seconds.
            min_iou: minimum overlap with a track's predicted or last region, 0..1; disjoint regions never match.
            max_missed_s: how long a track may have no detection, in seconds.

        Raises:
            ValueError: the stamp is not a finite number.
        """
        self.advance(stamp_s, max_missed_s)
        matched = self._match(faces, min_iou)
        tracked = [self._assign(face, matched.get(index), stamp_s) for index, face in enumerate(faces)]
        self._limit_missed_tracks({face.track_id for face in tracked})
        return tracked

    def advance(self, stamp_s: float, max_missed_s: float) -> list[ExpectedFace]:
        """Predicts the tracks for the next frame, which `update` then gets, and returns where their faces should be.

        Args:
            stamp_s: as of `update`.
            max_missed_s: as of `update`.

        Raises:
            ValueError: the stamp is not a finite number.
        """
        if not math.isfinite(stamp_s):
            raise ValueError(f"stamp_s {stamp_s} is not a finite number")
        if stamp_s < self._last_stamp_s:
            self.reset()
        self._tracks = [track for track in self._tracks if stamp_s - track.seen_s <= max_missed_s]
        for track in self._tracks:
            track.motion.advance(stamp_s - self._last_stamp_s)
        last_s, self._last_stamp_s = self._last_stamp_s, stamp_s
        return [track.expected(stamp_s, in_last_frame=track.seen_s == last_s) for track in self._tracks]

    def matched(self, faces: Sequence[Face], min_iou: float) -> dict[int, int]:
        """Returns the track id by the index of each face of the frame that `advance` got which has a track."""
        return {index: track.id for index, track in self._match(faces, min_iou).items()}

    def _match(self, faces: Sequence[Face], min_iou: float) -> dict[int, _Track]:
        """Returns the matched tracks by the index of their face."""
        detected = _rows([face.box.xyxy for face in faces])
        predicted = _rows([track.motion.xyxy for track in self._tracks])
        last = _rows([track.box.xyxy for track in self._tracks])
        pairs = best_pairs(iou_matrix(detected, predicted), min_iou)
        faces_left = [index for index in range(len(detected)) if index not in pairs]
        tracks_left = sorted(set(range(len(last))) - set(pairs.values()))
        rest = best_pairs(iou_matrix(detected[faces_left], last[tracks_left]), min_iou)
        pairs |= {faces_left[row]: tracks_left[column] for row, column in rest.items()}
        return {row: self._tracks[column] for row, column in pairs.items()}

    def _assign(self, face: Face, track: _Track | None, stamp_s: float) -> Face:
        if track is None:
            self._last_id += 1
            track = _Track(self._last_id, face.box, stamp_s, BoxKalmanFilter(face.box))
            self._tracks.append(track)
        else:
            track.see(face.box, stamp_s)
        return replace(face, track_id=track.id)

    def _limit_missed_tracks(self, detected: set[int]) -> None:
        """Removes the tracks that have had no detection for longest if there are too many of them."""
        missed = sorted((track.seen_s, track.id) for track in self._tracks if track.id not in detected)
        removed = {track_id for _, track_id in missed[: max(0, len(missed) - _MAX_MISSED_TRACKS)]}
        self._tracks = [track for track in self._tracks if track.id not in removed]


def _rows(boxes: Sequence[Sequence[float] | NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.array(boxes, np.float64).reshape(-1, 4)
