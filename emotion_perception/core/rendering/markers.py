# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The markers that show faces at their positions in the camera's frame."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from emotion_perception.core.printable import printable
from emotion_perception.core.rendering.overlay import caption
from emotion_perception.core.rendering.palette import label_color, rgb_fractions
from emotion_perception.core.types import FaceEmotion

FACE_WIDTH_M = 0.16
"""Width of the sphere, or the cube, that stands for a face, in meters."""

_PERIODS = 5  # intervals between frames that are remembered
_LIFETIME_PERIODS = 3.0  # a viewer keeps a marker for so many of them, so two frames in a row may come late
_SHORTEST_S, _LONGEST_S = 2.0, 300.0
_FIRST_LIFETIME_S = 60.0
_IDS = 2**30  # a marker's id is an int32, and a face has two markers


@dataclass(frozen=True)
class FaceMarker:
    """Marker of one face.

    Attributes:
        shape_id: id of the marker that shows the position; derived from the track id.
        text_id: id of the marker that shows the text.
        xyz_m: center of the face in the optical frame, in meters.
        text: label and score.
        rgb: color, 0..1 each.
    """

    shape_id: int
    text_id: int
    xyz_m: tuple[float, float, float]
    text: str
    rgb: tuple[float, float, float]


class FaceMarkers:
    """Computes the markers of each frame, and which markers to delete."""

    def __init__(self) -> None:
        self._marker_ids: set[int] = set()

    def update(self, emotions: Iterable[FaceEmotion]) -> tuple[list[FaceMarker], list[int]]:
        """Returns a marker for each face of a frame that has a position, and the marker ids that are no longer used."""
        markers = [_marker(emotion) for emotion in emotions if emotion.face.position.known]
        marker_ids = {marker_id for marker in markers for marker_id in (marker.shape_id, marker.text_id)}
        vanished, self._marker_ids = sorted(self._marker_ids - marker_ids), marker_ids
        return markers, vanished


class MarkerLifetime:
    """Computes how long a viewer shows a marker after the stream has stopped; longer than the gap between two frames.

    The marker of a face that has left is deleted, so the lifetime matters only where no further frame comes.
    """

    def __init__(self) -> None:
        self._last_stamp_s: float | None = None
        self._periods_s: deque[float] = deque(maxlen=_PERIODS)

    def reset(self) -> None:
        """Forgets the intervals, after a pause that says nothing about the frame rate."""
        self._last_stamp_s = None
        self._periods_s.clear()

    def update(self, stamp_s: float) -> float:
        """Adds a frame; returns the lifetime of its markers in seconds.

        Three times the longest of the last five intervals between stamps, 2 to 300 s; 60 s while no interval is known.

        Args:
            stamp_s: stamp of the frame in seconds; one that does not increase is no interval.
        """
        if self._last_stamp_s is not None and stamp_s > self._last_stamp_s:
            self._periods_s.append(stamp_s - self._last_stamp_s)
        self._last_stamp_s = stamp_s
        if not self._periods_s:
            return _FIRST_LIFETIME_S
        return min(max(_LIFETIME_PERIODS * max(self._periods_s), _SHORTEST_S), _LONGEST_S)


def _marker(emotion: FaceEmotion) -> FaceMarker:
    position = emotion.face.position
    first_id = emotion.face.track_id % _IDS * 2
    return FaceMarker(
        shape_id=first_id,
        text_id=first_id + 1,
        xyz_m=(position.x, position.y, position.z),
        text=printable(caption(emotion)),
        rgb=rgb_fractions(label_color(emotion.label, uncertain=emotion.uncertain)),
    )
