# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Positions of faces in the camera frame, estimated from one camera, and the markers that show them."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emotion_perception.core.rendering.overlay import caption
from emotion_perception.core.rendering.palette import label_color, rgb_fractions
from emotion_perception.core.types import Box, FaceEmotion

FACE_WIDTH_M = 0.16
_SHORTEST_PX, _LONGEST_PX = 0.001, 1e9  # beyond, a position is no finite number, or none that means anything
_PERIODS = 5  # intervals between frames that are remembered
_LIFETIME_PERIODS = 3.0  # a viewer keeps a marker for so many of them, so two frames in a row may come late
_SHORTEST_S, _LONGEST_S = 2.0, 300.0
_FIRST_LIFETIME_S = 60.0
_IDS = 2**30  # a marker's id is an int32, and a face has two markers


@dataclass(frozen=True)
class PinholeCamera:
    """A camera without distortion.

    Attributes:
        fx: focal length along x, in pixels.
        fy: focal length along y, in pixels.
        cx: x of the optical axis, in pixels.
        cy: y of the optical axis, in pixels.

    Raises:
        ValueError: a focal length is not in 0.001 to 1e9 pixels, or the axis is farther than 1e9 pixels from the image.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if not all(_SHORTEST_PX <= length <= _LONGEST_PX for length in (self.fx, self.fy)):  # NaN is outside, too
            raise ValueError(f"focal length {self.fx}, {self.fy} is not in {_SHORTEST_PX} to {_LONGEST_PX:g}")
        if not all(-_LONGEST_PX <= value <= _LONGEST_PX for value in (self.cx, self.cy)):
            raise ValueError(f"optical axis {self.cx}, {self.cy} is not within {_LONGEST_PX:g} pixels")

    @classmethod
    def from_k(cls, k: Sequence[float]) -> "PinholeCamera | None":
        """Returns the camera of a camera_info's K (3x3, row-major); None if K is unknown or invalid."""
        try:
            return cls(fx=float(k[0]), fy=float(k[4]), cx=float(k[2]), cy=float(k[5]))
        except ValueError:
            return None

    def locate(self, box: Box, width_m: float = FACE_WIDTH_M) -> tuple[float, float, float]:
        """Returns the center of a box in the optical frame (x right, y down, z forward), in meters.

        Args:
            box: region in pixels. A face that is truncated or turned away appears narrower, and therefore farther.
            width_m: width of the object in the box.
        """
        z = self.fx * width_m / box.width
        x_px, y_px = box.center_xy
        return (x_px - self.cx) / self.fx * z, (y_px - self.cy) / self.fy * z, z


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

    def update(self, emotions: Iterable[FaceEmotion], camera: PinholeCamera) -> tuple[list[FaceMarker], list[int]]:
        """Returns a marker for each face of a frame, and the marker ids of the last frame that are no longer used."""
        markers = [_marker(emotion, camera) for emotion in emotions]
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


def _marker(emotion: FaceEmotion, camera: PinholeCamera) -> FaceMarker:
    first_id = emotion.face.track_id % _IDS * 2
    return FaceMarker(
        shape_id=first_id,
        text_id=first_id + 1,
        xyz_m=camera.locate(emotion.face.box),
        text=caption(emotion),
        rgb=rgb_fractions(label_color(emotion.label, uncertain=emotion.uncertain)),
    )
