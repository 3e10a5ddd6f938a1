"""From faces in a picture to what they show: crop, classify, smooth, decide."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import EmotionClassifier
from emotion_perception.core.errors import RegionError
from emotion_perception.core.geometry import square_crop
from emotion_perception.core.smoothing import EmotionSmoother
from emotion_perception.core.types import Face, FaceEmotion


class EmotionRecognizer:
    """Recognises the emotions of all faces of a picture in one batch, smoothed over each track.

    Attributes:
        regions_refused: faces so far whose region had no pixel in their picture.
    """

    def __init__(self, classifier: EmotionClassifier, smoother: EmotionSmoother | None = None) -> None:
        self.classifier = classifier
        self.regions_refused = 0
        self._smoother = smoother or EmotionSmoother()

    def recognize(
        self,
        image_bgr: NDArray[np.uint8] | None,
        faces: Sequence[Face],
        stamp_s: float,
        *,
        smoothing_s: float,
        uncertain_below: float,
    ) -> list[FaceEmotion]:
        """Returns one `FaceEmotion` for each face that has a pixel in the picture, in the order of `faces`.

        Args:
            image_bgr: uint8 (H, W, 3); None will do where there is no face.
            faces: with their track ids.
            stamp_s: stamp of the picture in seconds.
            smoothing_s: time constant of the smoothing in seconds; 0 is off.
            uncertain_below: smoothed scores below this mark a face as uncertain.
        """
        crops, shown = self._crop(image_bgr, faces) if image_bgr is not None else ([], [])
        rows = self.classifier.classify(crops)
        emotions = []
        for face, row in zip(shown, rows, strict=True):
            smoothed = self._smoother.update(face.id, row, stamp_s, time_constant_s=smoothing_s)
            emotions.append(self._decide(face, row, smoothed, uncertain_below))
        return emotions

    def reset(self) -> None:
        """Forgets the smoothing of all tracks."""
        self._smoother.reset()

    def _crop(self, image_bgr: NDArray[np.uint8], faces: Sequence[Face]) -> tuple[list[NDArray[np.uint8]], list[Face]]:
        crops, shown = [], []
        for face in faces:
            try:
                crops.append(square_crop(image_bgr, face.box, self.classifier.spec.crop_margin))
                shown.append(face)
            except RegionError:
                self.regions_refused += 1
        return crops, shown

    def _decide(
        self, face: Face, row: NDArray[np.float32], smoothed: NDArray[np.float32], uncertain_below: float
    ) -> FaceEmotion:
        best = int(smoothed.argmax())
        score = float(smoothed[best])
        return FaceEmotion(
            face=face,
            label=self.classifier.spec.labels[best],
            score=score,
            uncertain=score < uncertain_below,
            probabilities=row,
            smoothed_probabilities=smoothed,
        )
