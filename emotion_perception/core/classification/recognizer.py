# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recognition of the emotions of tracked faces: crop, classify, smooth, choose a label."""

import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import EmotionClassifier
from emotion_perception.core.classification.options import RecognizerOptions
from emotion_perception.core.classification.smoothing import EmotionSmoother
from emotion_perception.core.errors import RegionError
from emotion_perception.core.images import largest, square_crop
from emotion_perception.core.types import Face, FaceEmotion

_BATCH = 16  # faces that are cropped and classified together: more take more memory and are not faster


class EmotionRecognizer:
    """Recognizes the emotions of the faces of an image in small batches, smoothed over each track.

    Args:
        classifier: classifies the crops.
        smoother: smooths the probabilities; None creates one.
        clock_s: steady time in seconds.

    Attributes:
        classifier: as given.
        regions_rejected: number of faces so far whose region had no pixel in their image.
    """

    def __init__(
        self,
        classifier: EmotionClassifier,
        smoother: EmotionSmoother | None = None,
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.classifier = classifier
        self.regions_rejected = 0
        self._smoother = smoother or EmotionSmoother()
        self._clock_s = clock_s

    def recognize(
        self,
        image_bgr: NDArray[np.uint8] | None,
        faces: Sequence[Face],
        stamp_s: float,
        options: RecognizerOptions,
        *,
        time_limit_s: float = math.inf,
    ) -> list[FaceEmotion]:
        """Returns one `FaceEmotion` for each face that was classified, in the order of `faces`.

        A face without a pixel in the image is left out, and so are the smallest ones if there are more than
        `options.max_faces`, and those that are left when the time limit is reached.

        Args:
            image_bgr: uint8 (H, W, 3); may be None if there is no face.
            faces: with their track ids.
            stamp_s: stamp of the image in seconds.
            options: the maximum number of faces, smoothing, hysteresis and the threshold of uncertain predictions.
            time_limit_s: no batch of faces is begun after this many seconds, except the first one.
        """
        if image_bgr is None:
            return []
        deadline_s = self._clock_s() + time_limit_s
        faces = largest(faces, options.max_faces, lambda face: face.box)
        emotions: list[FaceEmotion] = []
        for begin in range(0, len(faces), _BATCH):
            if begin and self._clock_s() >= deadline_s:
                break
            crops, cropped = self._crop(image_bgr, faces[begin : begin + _BATCH])
            rows = self.classifier.classify(crops)
            emotions += [self._recognize(*pair, stamp_s, options) for pair in zip(cropped, rows, strict=True)]
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

    def _recognize(
        self, face: Face, row: NDArray[np.float32], stamp_s: float, options: RecognizerOptions
    ) -> FaceEmotion:
        """Smooths the probabilities of a face and chooses its label."""
        smoothed = self._smoother.update(face.track_id, row, stamp_s, time_constant_s=options.smoothing_s)
        label = self._smoother.choose_label(face.track_id, options.label_hysteresis)
        score = float(smoothed[label])
        return FaceEmotion(
            face=face,
            label=self.classifier.spec.labels[label],
            score=score,
            uncertain=score < options.min_confidence,
            probabilities=row,
            smoothed_probabilities=smoothed,
        )
