# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Smooths the probabilities of each track over time, and stabilizes its label."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GAP_S = 2.0  # after a longer gap a track restarts: older probabilities are irrelevant
MAX_TRACKS = 4096  # reached only if stamps stand still or track ids change with every frame


@dataclass
class _Track:
    stamp_s: float
    smoothed: NDArray[np.float32]
    label: int | None = None  # index of the last chosen label


class EmotionSmoother:
    """A first-order low-pass filter per track in stamp time, so that the result is the same at 10 and at 30 Hz.

    A stamp that goes backwards (a bag that loops) removes all tracks. A track without update for `GAP_S` is removed. If
    there are more than `MAX_TRACKS`, the one whose update is longest ago is removed.
    """

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._newest_s = -math.inf

    def advance(self, stamp_s: float) -> None:
        """Removes the tracks that are too old at a stamp in seconds; all of them if it goes backwards."""
        if stamp_s < self._newest_s:
            self.reset()
        self._newest_s = stamp_s
        while self._tracks and stamp_s - self._tracks[oldest := next(iter(self._tracks))].stamp_s > GAP_S:
            del self._tracks[oldest]

    def last(self, track_id: int) -> tuple[float, NDArray[np.float32]] | None:
        """Returns the stamp in seconds and the result of the last `update` of a track, None if there is no such track.

        The result is float32 (L), sum 1.
        """
        track = self._tracks.get(track_id)
        return None if track is None else (track.stamp_s, track.smoothed)

    def update(
        self, track_id: int, probabilities: NDArray[np.float32], stamp_s: float, *, time_constant_s: float
    ) -> NDArray[np.float32]:
        """Returns the smoothed probabilities, float32 (L), sum 1.

        Args:
            track_id: id of the face's track.
            probabilities: float32 (L) of this frame, sum 1.
            stamp_s: stamp of the frame in seconds.
            time_constant_s: time after which a step reaches 63 %; 0 returns the input.
        """
        self.advance(stamp_s)
        track = self._tracks.pop(track_id, None) or _Track(stamp_s, probabilities)
        self._tracks[track_id] = track  # the last one: tracks are in the order of their updates
        if len(self._tracks) > MAX_TRACKS:
            del self._tracks[next(iter(self._tracks))]
        keep = math.exp(-(stamp_s - track.stamp_s) / time_constant_s) if time_constant_s > 0 else 0.0
        track.smoothed = (keep * track.smoothed + (1 - keep) * probabilities).astype(np.float32)
        track.stamp_s = stamp_s
        return track.smoothed

    def choose_label(self, track_id: int, hysteresis: float) -> int:
        """Returns the index of a track's label; it changes only if another label is more probable by `hysteresis`.

        Args:
            track_id: of a track for which `update` was called before.
            hysteresis: minimum difference of the two smoothed probabilities, 0..1.
        """
        track = self._tracks[track_id]
        best = int(track.smoothed.argmax())
        if track.label is None or track.smoothed[best] - track.smoothed[track.label] >= hysteresis:
            track.label = best
        return track.label

    def reset(self) -> None:
        """Removes all tracks."""
        self._tracks.clear()
        self._newest_s = -math.inf
