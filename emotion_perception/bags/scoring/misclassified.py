# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Keeps the faces that were misjudged with the most confidence, for people to look at."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import FrameResult
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.report.crops import face_crop
from emotion_perception.bags.scoring.labels import LabelRow
from emotion_perception.core.types import FaceEmotion

_SIDE = 128  # pixels of a kept face
_ALIKE_NS = 2 * NS  # mistakes of a track within so long are one


@dataclass(frozen=True, eq=False)
class Misclassified:
    """A face whose label is not what people say.

    Attributes:
        time_s: since the first image.
        track: number of the face.
        truth: what people say.
        label: what was answered.
        score: with which score.
        crop_bgr: uint8 (128, 128, 3); hidden where that was asked for.
    """

    time_s: float
    track: int
    truth: str
    label: str
    score: float
    crop_bgr: NDArray[np.uint8]


class MisclassifiedFaces:
    """The worst mistakes of a recording.

    Args:
        most: how many are kept.
        mode: how faces are hidden, as of `core.anonymize.anonymize`; `none` shows them.
    """

    def __init__(self, most: int = 12, mode: str = "none") -> None:
        self._most, self._mode = most, mode
        self._kept: dict[tuple[int, str, str, int], Misclassified] = {}

    @property
    def worst(self) -> list[Misclassified]:
        """The mistakes, surest first."""
        return sorted(self._kept.values(), key=lambda mistake: (-mistake.score, mistake.time_s, mistake.track))

    def look(self, outcome: FrameResult, matched: Mapping[int, LabelRow], first_stamp_ns: int) -> None:
        """Keeps what is worth keeping of a frame."""
        for index, row in matched.items():
            emotion = outcome.emotions[index]
            if row.label and row.label != emotion.label:
                self._consider(outcome, emotion, row.label, first_stamp_ns)

    def _consider(self, outcome: FrameResult, emotion: FaceEmotion, truth: str, first_stamp_ns: int) -> None:
        since_ns = outcome.stamp_ns - first_stamp_ns
        key = (emotion.face.track_id, truth, emotion.label, since_ns // _ALIKE_NS)
        rival = self._kept.get(key) or (self.worst[-1] if len(self._kept) >= self._most else None)
        if rival is not None and rival.score >= emotion.score:
            return
        crop = face_crop(outcome, emotion, side=_SIDE, mode=self._mode)
        if crop is None:
            return
        if rival is not None:
            self._kept = {k: mistake for k, mistake in self._kept.items() if mistake is not rival}
        self._kept[key] = Misclassified(since_ns / NS, emotion.face.track_id, truth, emotion.label, emotion.score, crop)
