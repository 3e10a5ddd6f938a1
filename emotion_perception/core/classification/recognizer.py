# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recognition of the emotions of tracked faces: crop, classify, smooth, choose a label."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import EmotionClassifier
from emotion_perception.core.classification.options import RecognizerOptions
from emotion_perception.core.classification.smoothing import EmotionSmoother
from emotion_perception.core.errors import RegionError
from emotion_perception.core.images import square_crop
from emotion_perception.core.types import Face, FaceEmotion


class EmotionRecognizer:
    """Recognizes the emotions of all faces of an image in one batch, smoothed over each track.

    Args:
        classifier: classifies the crops.
        smoother: smooths the probabilities; None creates one.

    Attributes:
        classifier: as given.
        regions_rejected: number of faces so far whose region had no pixel in their image.
    """

    def __init__(self, classifier: EmotionClassifier, smoother: EmotionSmoother | None = None) -> None:
        self.classifier = classifier
        self.regions_rejected = 0
        self._smoother = smoother or EmotionSmoother()

    def recognize(
        self,
        image_bgr: NDArray[np.uint8] | None,
        faces: Sequence[Face],
        stamp_s: float,
        options: RecognizerOptions,
    ) -> list[FaceEmotion]:
        """Returns one `FaceEmotion` for each face that has a pixel in the image, in the order of `faces`.

        Args:
            image_bgr: uint8 (H, W, 3); may be None if there is no face.
            faces: with their track ids.
            stamp_s: stamp of the image in seconds.
            options: smoothing, hysteresis and the threshold of uncertain predictions.
        """
        crops, cropped = self._crop(image_bgr, faces) if image_bgr is not None else ([], [])
        rows = self.classifier.classify(crops)
        emotions = []
        for face, row in zip(cropped, rows, strict=True):
            smoothed = self._smoother.update(face.track_id, row, stamp_s, time_constant_s=options.smoothing_s)
            label = self._smoother.choose_label(face.track_id, options.label_hysteresis)
            emotions.append(self._to_emotion(face, row, smoothed, label, options.min_confidence))
        return emotions

    def reset(self) -> None:
        """Forgets the smoothed probabilities of all tracks."""
        self._smoother.reset()

    def _crop(self, image_bgr: NDArray[np.uint8], faces: Sequence[Face]) -> tuple[list[NDArray[np.uint8]], list[Face]]:
        """Returns the crops, and the faces that they show."""
        crops, cropped = [], []
        for face in faces:
            try:
                crops.append(square_crop(image_bgr, face.box, self.classifier.spec.crop_margin))
                cropped.append(face)
            except RegionError:
                self.regions_rejected += 1
        return crops, cropped

    def _to_emotion(
        self, face: Face, row: NDArray[np.float32], smoothed: NDArray[np.float32], label: int, min_confidence: float
    ) -> FaceEmotion:
        score = float(smoothed[label])
        return FaceEmotion(
            face=face,
            label=self.classifier.spec.labels[label],
            score=score,
            uncertain=score < min_confidence,
            probabilities=row,
            smoothed_probabilities=smoothed,
        )
