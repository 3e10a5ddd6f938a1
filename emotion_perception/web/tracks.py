# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracks of a camera: what each face shows now, and its smoothed probabilities over the last minute."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from emotion_perception.core.types import FaceEmotion

MINUTE_S = 60.0
MAX_CARDS = 12
_STEP_S = 0.5  # between two points of a chart
_GONE_S = 3.0  # a track without face for so long has no card, and no track has one if nothing comes for so long
_RESTART_S = 1.0  # a stamp this much older than the newest means that the clock or the bag jumped back
_MAX_TRACKS, _MAX_LABELS, _MAX_CHART_LABELS = 64, 64, 16


@dataclass(frozen=True)
class TrackView:
    """One face as a card shows it.

    Attributes:
        emotion: its newest emotion.
        labels: label of each probability.
        seen_s: stamp of that image, relative to the newest one: 0 where the face is in it, else negative.
        times_s: of the chart's points, relative to the newest image, ascending, at least -60.
        probabilities: for each point the smoothed probabilities.
    """

    emotion: FaceEmotion
    labels: tuple[str, ...]
    seen_s: float
    times_s: tuple[float, ...]
    probabilities: tuple[tuple[float, ...], ...]


@dataclass
class _Track:
    emotion: FaceEmotion
    labels: tuple[str, ...]
    seen_s: float
    points: deque[tuple[float, tuple[float, ...]]] = field(default_factory=deque)


class TrackHistory:
    """Keeps the tracks of the last seconds of stamp time; one thread updates, others read.

    Args:
        clock_s: steady time in seconds.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._tracks: dict[int, _Track] = {}
        self._newest_s = float("-inf")
        self._updated_s = float("-inf")
        self._updates = 0

    @property
    def version(self) -> tuple[int, bool]:
        """Another one whenever `view` returns something else."""
        with self._lock:
            return self._updates, self._is_old

    def update(self, emotions: Sequence[FaceEmotion], labels: Sequence[str], stamp_s: float) -> None:
        """Adds the emotions of one image.

        Args:
            emotions: of its faces; the largest 64 are kept.
            labels: label of each entry of `smoothed_probabilities`; of more than 64 no probabilities are kept, and more
                than 16 have no chart.
            stamp_s: stamp of the image in seconds; one that jumps back clears everything.
        """
        largest = sorted(emotions, key=lambda emotion: emotion.face.box.area, reverse=True)[:_MAX_TRACKS]
        if len(labels) > _MAX_LABELS:
            labels, largest = (), [_without_probabilities(emotion) for emotion in largest]
        with self._lock:
            if stamp_s < self._newest_s - _RESTART_S:
                self._tracks.clear()
            self._newest_s = stamp_s
            for emotion in largest:
                self._add(emotion, tuple(labels), stamp_s)
            self._tracks = {
                track_id: track for track_id, track in self._tracks.items() if stamp_s - track.seen_s <= _GONE_S
            }
            self._updated_s = self._clock_s()
            self._updates += 1

    def view(self) -> list[TrackView]:
        """Returns the tracks by their `track_id`; none if nothing has come for 3 s, e.g. without a classifier."""
        with self._lock:
            return [] if self._is_old else [self._viewed(track) for _, track in sorted(self._tracks.items())]

    @property
    def _is_old(self) -> bool:
        return self._clock_s() - self._updated_s > _GONE_S

    def _add(self, emotion: FaceEmotion, labels: tuple[str, ...], stamp_s: float) -> None:
        track = self._tracks.get(emotion.face.track_id)
        if track is None or track.labels != labels:
            if len(self._tracks) >= 2 * _MAX_TRACKS:
                return
            track = self._tracks[emotion.face.track_id] = _Track(emotion, labels, stamp_s)
        track.emotion, track.seen_s = emotion, stamp_s
        if not emotion.smoothed_probabilities.size or len(labels) > _MAX_CHART_LABELS:
            return
        if not track.points or stamp_s - track.points[-1][0] >= _STEP_S:
            track.points.append((stamp_s, tuple(float(share) for share in emotion.smoothed_probabilities)))
        while track.points[0][0] < stamp_s - MINUTE_S:
            track.points.popleft()

    def _viewed(self, track: _Track) -> TrackView:
        return TrackView(
            emotion=track.emotion,
            labels=track.labels,
            seen_s=track.seen_s - self._newest_s,
            times_s=tuple(at_s - self._newest_s for at_s, _ in track.points),
            probabilities=tuple(shares for _, shares in track.points),
        )


def _without_probabilities(emotion: FaceEmotion) -> FaceEmotion:
    none = np.zeros(0, np.float32)
    return replace(emotion, probabilities=none, smoothed_probabilities=none)
