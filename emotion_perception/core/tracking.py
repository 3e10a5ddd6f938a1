"""Gives faces a stable number from frame to frame, by the overlap of their regions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from emotion_perception.core.geometry import iou
from emotion_perception.core.types import Box, Face


@dataclass
class _Track:
    id: int
    box: Box
    seen_s: float


class Tracker:
    """Joins each face to the track whose last region it overlaps most, best pairs first.

    Numbers begin at 1 and are never given twice, not even after a reset. A track unseen for longer than `max_missed_s`
    of stamp time is forgotten. A stamp that goes backwards (a bag that loops) forgets all tracks.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._last_id = 0
        self._last_stamp_s = float("-inf")

    def reset(self) -> None:
        """Forgets all tracks; numbers go on."""
        self._tracks = []
        self._last_stamp_s = float("-inf")

    def update(self, faces: Sequence[Face], stamp_s: float, *, min_iou: float, max_missed_s: float) -> list[Face]:
        """Returns the faces of one frame in the same order, each with its track's number.

        Args:
            faces: what the detector found.
            stamp_s: the picture's stamp in seconds.
            min_iou: least overlap with a track's last region, 0..1; regions that do not touch never match.
            max_missed_s: how long a track may be unseen, in seconds.
        """
        if stamp_s < self._last_stamp_s:
            self.reset()
        self._last_stamp_s = stamp_s
        self._tracks = [track for track in self._tracks if stamp_s - track.seen_s <= max_missed_s]
        matched = self._match(faces, min_iou)
        return [self._follow(face, matched.get(index), stamp_s) for index, face in enumerate(faces)]

    def _match(self, faces: Sequence[Face], min_iou: float) -> dict[int, _Track]:
        """Returns the track of each face that has one, by the face's index."""
        pairs = [
            (overlap, index, track)
            for index, face in enumerate(faces)
            for track in self._tracks
            if (overlap := iou(face.box, track.box)) > 0 and overlap >= min_iou
        ]
        pairs.sort(key=lambda pair: (-pair[0], pair[2].id, pair[1]))  # of equal overlaps the oldest track wins
        matched: dict[int, _Track] = {}
        taken: set[int] = set()
        for _, index, track in pairs:
            if index not in matched and track.id not in taken:
                matched[index] = track
                taken.add(track.id)
        return matched

    def _follow(self, face: Face, track: _Track | None, stamp_s: float) -> Face:
        if track is None:
            self._last_id += 1
            track = _Track(self._last_id, face.box, stamp_s)
            self._tracks.append(track)
        track.box, track.seen_s = face.box, stamp_s
        return replace(face, id=track.id)
