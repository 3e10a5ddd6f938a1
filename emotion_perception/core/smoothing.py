"""Smooths the probabilities of each track over time."""

import math

import numpy as np
from numpy.typing import NDArray

_FORGET_AFTER_S = 60.0  # far beyond any `max_missed_s`: bounds the memory, never the behaviour


class EmotionSmoother:
    """A first-order low-pass filter a track, in stamp time, so the curve is the same at 10 and at 30 Hz."""

    def __init__(self) -> None:
        self._tracks: dict[int, tuple[float, NDArray[np.float32]]] = {}
        self._newest_s = -math.inf

    def update(
        self, track_id: int, probabilities: NDArray[np.float32], stamp_s: float, *, time_constant_s: float
    ) -> NDArray[np.float32]:
        """Returns the smoothed probabilities, float32 (L), sum 1.

        Args:
            track_id: number of the face's track.
            probabilities: float32 (L) of this frame, sum 1.
            stamp_s: stamp of the frame; a step back forgets everything.
            time_constant_s: after this long a step has come through to 63 %; 0 returns the input.
        """
        if stamp_s < self._newest_s:
            self.reset()
        self._newest_s = stamp_s
        last_s, smoothed = self._tracks.get(track_id, (stamp_s, probabilities))
        keep = math.exp(-(stamp_s - last_s) / time_constant_s) if time_constant_s > 0 else 0.0
        smoothed = (keep * smoothed + (1 - keep) * probabilities).astype(np.float32)
        self._tracks[track_id] = (stamp_s, smoothed)
        self._forget(stamp_s)
        return smoothed

    def reset(self) -> None:
        """Forgets all tracks."""
        self._tracks.clear()
        self._newest_s = -math.inf

    def _forget(self, stamp_s: float) -> None:
        for track_id in [key for key, (last_s, _) in self._tracks.items() if stamp_s - last_s > _FORGET_AFTER_S]:
            del self._tracks[track_id]
