# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Face identifiers as REP-155 recommends them: short, unique, and valid names in programming languages."""

import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_FACES = 64
"""Maximum number of faces of a camera that have an id at one time; further ones wait until another one has left."""

_LETTERS = 4  # 456,976 combinations, drawn anew for each track
_KEPT_S = 1.0


@dataclass(frozen=True)
class FaceIdChanges:
    """What a frame changed.

    Attributes:
        present: face id of each track in the frame that has one.
        removed: ids of the tracks that have ended.
        omitted: number of tracks in the frame without an id, as there are too many.
    """

    present: Mapping[int, str]
    removed: Sequence[str]
    omitted: int


class FaceIds:
    """Gives each track an id of four random letters and the track id, such as `wstw3`.

    Track ids begin at 1 in each run and for each camera, so the letters keep frames and topics of two runs or cameras
    apart. A track keeps its id while it is missing for at most a second of stamp time, and at least for one frame.

    Args:
        rng: draws the letters.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._ids: dict[int, str] = {}
        self._seen_s: dict[int, float] = {}
        self._last_stamp_s = float("-inf")

    def update(self, track_ids: Sequence[int], stamp_s: float) -> FaceIdChanges:
        """Adds the next frame.

        Args:
            track_ids: of the faces in it.
            stamp_s: stamp of the image in seconds; a stamp that goes backwards ends the tracks that are not in it.
        """
        kept_s = max(_KEPT_S, stamp_s - self._last_stamp_s)
        self._last_stamp_s = stamp_s
        ended = [
            track_id
            for track_id, seen_s in self._seen_s.items()
            if track_id not in track_ids and not 0 <= stamp_s - seen_s <= kept_s
        ]
        removed = [self._forget(track_id) for track_id in ended]
        present = {track_id: face_id for track_id in track_ids if (face_id := self._id_of(track_id)) is not None}
        self._seen_s |= dict.fromkeys(present, stamp_s)
        return FaceIdChanges(present, removed, len(set(track_ids)) - len(present))

    def clear(self) -> Sequence[str]:
        """Ends all tracks; returns their ids."""
        self._last_stamp_s = float("-inf")
        return [self._forget(track_id) for track_id in list(self._ids)]

    def _id_of(self, track_id: int) -> str | None:
        if track_id not in self._ids and len(self._ids) < MAX_FACES:
            letters = "".join(self._rng.choices(string.ascii_lowercase, k=_LETTERS))
            self._ids[track_id] = f"{letters}{track_id}"
        return self._ids.get(track_id)

    def _forget(self, track_id: int) -> str:
        self._seen_s.pop(track_id, None)
        return self._ids.pop(track_id)
