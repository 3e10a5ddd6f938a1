# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Keeps the misclassified faces with the highest scores, for the report."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import FrameResult
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.scoring.crops import face_crop
from emotion_perception.bags.scoring.labels import LabelRow
from emotion_perception.core.types import FaceEmotion

_SIDE = 128  # pixels of a crop
_SAME_NS = 2 * NS  # errors of a track within this time are shown once


@dataclass(frozen=True, eq=False)
class Misclassified:
    """A face whose published label is not the true label.

    Attributes:
        time_s: time since the first image.
        track_id: track of the face.
        truth: true label.
        label: published label.
        score: score of the published label.
        crop_bgr: uint8 (128, 128, 3), anonymized if requested.
    """

    time_s: float
    track_id: int
    truth: str
    label: str
    score: float
    crop_bgr: NDArray[np.uint8]


class MisclassifiedFaces:
    """The misclassified faces of a recording with the highest scores.

    Args:
        max_count: number of faces to keep.
        mode: how faces are hidden, see `core.rendering.anonymize_faces`; `none` leaves them visible.
    """

    def __init__(self, max_count: int = 12, mode: str = "none") -> None:
        self._max_count, self._mode = max_count, mode
        self._kept: dict[tuple[int, str, str, int], Misclassified] = {}

    @property
    def faces(self) -> list[Misclassified]:
        """The kept faces, highest score first."""
        return sorted(self._kept.values(), key=lambda face: (-face.score, face.time_s, face.track_id))

    def add(self, result: FrameResult, matched: Mapping[int, LabelRow], first_stamp_ns: int) -> None:
        """Keeps the misclassified faces of a frame whose scores are high enough.

        Args:
            result: result of the frame.
            matched: label of each labeled face, by index of the face.
            first_stamp_ns: stamp of the first image.
        """
        for index, row in matched.items():
            emotion = result.emotions[index]
            if emotion.classified and row.label and row.label != emotion.label:
                self._add_face(result, emotion, row.label, first_stamp_ns)

    def _add_face(self, result: FrameResult, emotion: FaceEmotion, truth: str, first_stamp_ns: int) -> None:
        since_ns, track_id = result.stamp_ns - first_stamp_ns, emotion.face.track_id
        key = (track_id, truth, emotion.label, since_ns // _SAME_NS)
        replaced = self._kept.get(key) or (self.faces[-1] if len(self._kept) >= self._max_count else None)
        if replaced is not None and replaced.score >= emotion.score:
            return
        crop = face_crop(result, emotion, side=_SIDE, mode=self._mode)
        if crop is None:
            return
        if replaced is not None:
            self._kept = {k: face for k, face in self._kept.items() if face is not replaced}
        self._kept[key] = Misclassified(since_ns / NS, track_id, truth, emotion.label, emotion.score, crop)
