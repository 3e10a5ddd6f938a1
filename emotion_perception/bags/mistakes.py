"""Keeps the faces that were misjudged with the most confidence, for people to look at."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.labels import LabelRow
from emotion_perception.bags.messages import NS
from emotion_perception.bags.outcome import Outcome
from emotion_perception.core.anonymize import anonymize
from emotion_perception.core.errors import RegionError
from emotion_perception.core.geometry import square_crop
from emotion_perception.core.types import FaceEmotion

_SIDE = 128  # pixels of a kept face
_MARGIN = 0.25  # of the face, so that a person sees more than the network
_ALIKE_NS = 2 * NS  # mistakes of a track within so long are one


@dataclass(frozen=True, eq=False)
class Mistake:
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


class Mistakes:
    """The worst mistakes of a recording.

    Args:
        most: how many are kept.
        mode: how faces are hidden, as of `core.anonymize.anonymize`; `none` shows them.
    """

    def __init__(self, most: int = 12, mode: str = "none") -> None:
        self._most, self._mode = most, mode
        self._kept: dict[tuple[int, str, str, int], Mistake] = {}

    @property
    def worst(self) -> list[Mistake]:
        """The mistakes, surest first."""
        return sorted(self._kept.values(), key=lambda mistake: (-mistake.score, mistake.time_s, mistake.track))

    def look(self, outcome: Outcome, matched: Mapping[int, LabelRow], first_stamp_ns: int) -> None:
        """Keeps what is worth keeping of a frame."""
        if outcome.image_bgr is None:
            return
        for index, row in matched.items():
            emotion = outcome.emotions[index]
            if row.label and row.label != emotion.label:
                self._consider(outcome, emotion, row.label, first_stamp_ns)

    def _consider(self, outcome: Outcome, emotion: FaceEmotion, truth: str, first_stamp_ns: int) -> None:
        since_ns = outcome.stamp_ns - first_stamp_ns
        key = (emotion.face.id, truth, emotion.label, since_ns // _ALIKE_NS)
        rival = self._kept.get(key) or (self.worst[-1] if len(self._kept) >= self._most else None)
        if rival is not None and rival.score >= emotion.score:
            return
        crop = self._crop(outcome, emotion)
        if crop is None:
            return
        if rival is not None:
            self._kept = {k: mistake for k, mistake in self._kept.items() if mistake is not rival}
        self._kept[key] = Mistake(since_ns / NS, emotion.face.id, truth, emotion.label, emotion.score, crop)

    def _crop(self, outcome: Outcome, emotion: FaceEmotion) -> NDArray[np.uint8] | None:
        assert outcome.image_bgr is not None
        boxes = [other.face.box for other in outcome.emotions]
        image = outcome.image_bgr if self._mode == "none" else anonymize(outcome.image_bgr, boxes, self._mode)
        try:
            crop = square_crop(image, emotion.face.box, _MARGIN)
        except RegionError:
            return None
        return np.asarray(cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
