# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Estimates what each tracked face shows at rest, and reads expressions relative to it.

An expression is small against the difference between two faces at rest. The estimate is kept for each track, in memory
only, and is removed with the track; a face that is found again under another id starts anew.
"""

import math
import threading
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.resting_head import RestingHead
from emotion_perception.core.classification.smoothing import GAP_S, MAX_TRACKS

NEUTRAL = "neutral"
START_S, FULL_S = 5.0, 20.0  # seconds of rest after which the estimate begins to count, and counts fully
MEMORY_S = 60.0  # seconds of rest over which the estimate is averaged
STILL_S = 0.5  # time constant of the projection that a still face stays near to
_STILL, _LARGEST_STEP = 2.0, 2.0  # logits: change of a face that is half as still; by which one frame counts at most
_LONGEST_FRAME_S = 0.2  # of stamp time that one frame stands for
HISTORY_S, _HISTORY = 10.0, 600  # of a track, for a calibration: seconds and frames
_FEWEST_FRAMES, STEADY = 5, 0.9  # of a calibration
Row = NDArray[np.float32]


@dataclass
class _Track:
    stamp_s: float
    slow: Row
    resting: Row
    rest_s: float = 0.0  # seconds of rest that the estimate was made from
    is_calibrated: bool = False
    history: "deque[tuple[float, Row]]" = field(default_factory=lambda: deque(maxlen=_HISTORY))


@dataclass(frozen=True)
class Calibration:
    """The result of a calibration of one track.

    Attributes:
        track_id: of the face.
        frames: number of frames that were used.
        steadiness: fraction of them that are neutral relative to their median, 0..1.
        problem: why the resting expression was not set; empty if it was.
    """

    track_id: int
    frames: int = 0
    steadiness: float = 0.0
    problem: str = ""


class RestingExpressions:
    """The resting expression of each track.

    With `auto` it is learned from each frame. A frame counts as its duration, times how still the face is, times how
    near to neutral the prediction is: the probability of neutral divided by the highest one. So ten seconds of a smile
    count for less than a second. The weight of the estimate grows from 0 after `START_S` such seconds to 1 after
    `FULL_S`. A calibration sets the estimate at once; it is not changed afterwards.

    A stamp that goes backwards removes all tracks. A track without update for `GAP_S` is removed. If there are more
    than `MAX_TRACKS`, the one whose update is longest ago is removed. A calibration may come from another thread.

    Args:
        head: projects features.
        labels: of the model, with `neutral`.
    """

    def __init__(self, head: RestingHead, labels: tuple[str, ...]) -> None:
        self._head, self._neutral = head, labels.index(NEUTRAL)
        self._tracks: dict[int, _Track] = {}
        self._newest_s = -math.inf
        self._lock = threading.RLock()

    def advance(self, stamp_s: float) -> None:
        """Removes the tracks that are too old at a stamp in seconds; all of them if it goes backwards."""
        with self._lock:
            if stamp_s < self._newest_s:
                self.reset()
            self._newest_s = stamp_s
            while self._tracks and stamp_s - self._tracks[oldest := next(iter(self._tracks))].stamp_s > GAP_S:
                del self._tracks[oldest]

    def weight(self, track_id: int) -> float:
        """Returns how much the resting expression of a track counts, 0..1; 0 for an unknown track."""
        track = self._tracks.get(track_id)
        return 0.0 if track is None else _weight(track)

    def update(
        self, track_id: int, projection: Row, probabilities: Row, stamp_s: float, *, learns: bool
    ) -> tuple[Row, float]:
        """Returns the probabilities with the resting expression taken into account, and the weight of it.

        Args:
            track_id: id of the face's track.
            projection: float32 (L), of `RestingHead.project`.
            probabilities: float32 (L), of this frame, sum 1.
            stamp_s: stamp of the frame in seconds.
            learns: the estimate is learned from this frame, as with `auto`.

        Returns:
            float32 (L), sum 1, and the weight, 0..1: a mixture of `probabilities` and those relative to rest.
        """
        with self._lock:
            self.advance(stamp_s)
            return self._update(track_id, projection, probabilities, stamp_s, learns)

    def calibrate(self, track_id: int, seconds: float) -> list[Calibration]:
        """Takes what faces have shown in the last seconds as their resting expression.

        It is refused for a face that has not been still or has been seen for too short a time.

        Args:
            track_id: id of a track; 0 takes all present tracks.
            seconds: of stamp time up to the newest frame; at most `HISTORY_S` and 60 frames of a second are kept.
        """
        with self._lock:
            if track_id and track_id not in self._tracks:
                return [Calibration(track_id, problem=f"no face with the track id {track_id} in the last {GAP_S:g} s")]
            chosen = [track_id] if track_id else list(self._tracks)
            return [self._calibrate(each, self._tracks[each], min(seconds, HISTORY_S)) for each in chosen]

    def reset(self) -> None:
        """Removes all tracks."""
        with self._lock:
            self._tracks.clear()
            self._newest_s = -math.inf

    def _update(
        self, track_id: int, projection: Row, probabilities: Row, stamp_s: float, learns: bool
    ) -> tuple[Row, float]:
        track = self._tracks.pop(track_id, None) or _Track(stamp_s, projection, projection)
        self._tracks[track_id] = track  # the last one: tracks are in the order of their updates
        if len(self._tracks) > MAX_TRACKS:
            del self._tracks[next(iter(self._tracks))]
        weight = _weight(track)
        relative = self._head.probabilities(projection, track.resting) if weight else probabilities
        mixed = np.asarray((1 - weight) * probabilities + weight * relative, np.float32)
        frame_s = min(stamp_s - track.stamp_s, _LONGEST_FRAME_S)
        if learns and not track.is_calibrated:
            near = float(mixed[self._neutral] / mixed.max())
            _learn(track, projection, frame_s * near)
        keep = math.exp(-frame_s / STILL_S)
        track.slow = keep * track.slow + (1 - keep) * projection
        track.stamp_s = stamp_s
        if not track.history or stamp_s - track.history[-1][0] >= HISTORY_S / _HISTORY:
            track.history.append((stamp_s, projection))
        return mixed, weight

    def _calibrate(self, track_id: int, track: _Track, seconds: float) -> Calibration:
        newest_s = track.stamp_s
        used = [(stamp_s, row) for stamp_s, row in list(track.history) if newest_s - stamp_s <= seconds]
        seen_s = newest_s - used[0][0]
        if len(used) < _FEWEST_FRAMES or seen_s < seconds / 2:
            seen = f"the face was seen for {seen_s:.1f} s of {seconds:g} s, in {len(used)} frame(s)"
            needed = f"half of the time and {_FEWEST_FRAMES} frames are needed"
            return Calibration(track_id, len(used), problem=f"{seen}; {needed}")
        rows = np.stack([row for _, row in used])
        resting = np.asarray(np.median(rows, axis=0), np.float32)
        steadiness = float((self._head.probabilities(rows, resting).argmax(axis=1) == self._neutral).mean())
        if steadiness < STEADY:
            problem = f"the face is not still: its expression was steady in {steadiness:.0%} of {len(used)} frames"
            return Calibration(track_id, len(used), steadiness, problem)
        track.resting, track.is_calibrated = resting, True
        return Calibration(track_id, len(used), steadiness)


def _weight(track: _Track) -> float:
    return 1.0 if track.is_calibrated else min(max((track.rest_s - START_S) / (FULL_S - START_S), 0.0), 1.0)


def _learn(track: _Track, projection: Row, near_s: float) -> None:
    """Moves the estimate towards a frame, by its share of the rest that was seen so far.

    Args:
        track: of the face.
        projection: of the frame.
        near_s: duration of the frame times how near to neutral it is.
    """
    change = float(np.abs(projection - track.slow).max())
    rest_s = near_s * 0.5 ** ((change / _STILL) ** 2)
    if rest_s <= 0:
        return
    track.rest_s += rest_s
    step = rest_s / min(track.rest_s, MEMORY_S)
    limit = _LARGEST_STEP if track.rest_s > START_S else math.inf
    track.resting = track.resting + np.float32(step) * np.clip(projection - track.resting, -limit, limit)
