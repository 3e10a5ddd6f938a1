# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A second look at what a detector found: a small face / not-face network refuses what is none."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import EmotionClassifier, create_classifier
from emotion_perception.core.config import ClassifierConfig, DetectionConfig
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.images.geometry import square_crop
from emotion_perception.core.types import Face

FACE_LABEL = "face"
_BATCH = 32  # regions a batch: an image with a thousand false regions must not fill the memory


class NonFaceFilter:
    """Keeps the detections that a network takes for faces.

    Attributes:
        refused: detections refused so far.

    Raises:
        ConfigurationError: the model has no label `face`.
    """

    def __init__(self, classifier: EmotionClassifier) -> None:
        if FACE_LABEL not in classifier.labels:
            labels = ", ".join(classifier.labels)
            raise ConfigurationError(
                f"verifier {classifier.model_name} has no label '{FACE_LABEL}', its labels are {labels}"
            )
        self.refused = 0
        self._classifier = classifier
        self._face_index = classifier.labels.index(FACE_LABEL)

    def verify(
        self, image_bgr: NDArray[np.uint8], faces: Sequence[Face], *, threshold: float, max_faces: int
    ) -> list[Face]:
        """Returns the first `max_faces` that are faces, in their order; those behind them are not looked at.

        Args:
            image_bgr: uint8 (H, W, 3).
            faces: regions with at least a pixel in the image, best first.
            threshold: a detection whose probability of `face` is below this is refused, 0..1.
            max_faces: from 1.

        Raises:
            RegionError: a region lies outside the image.
        """
        accepted: list[Face] = []
        while len(accepted) < max_faces and faces:
            count = min(_BATCH, max_faces - len(accepted))
            looked_at, faces = faces[:count], faces[count:]
            probabilities = self._probabilities(image_bgr, looked_at)
            passed = [face for face, p in zip(looked_at, probabilities, strict=True) if p >= threshold]
            self.refused += len(looked_at) - len(passed)
            accepted += passed
        return accepted

    def _probabilities(self, image_bgr: NDArray[np.uint8], faces: Sequence[Face]) -> list[float]:
        """Returns how probably each region shows a face."""
        margin = self._classifier.spec.crop_margin
        crops = [square_crop(image_bgr, face.box, margin) for face in faces]
        return [float(row[self._face_index]) for row in self._classifier.classify(crops)]


def create_non_face_filter(
    config: DetectionConfig, *, classifier_factory: Callable[[ClassifierConfig], EmotionClassifier] = create_classifier
) -> NonFaceFilter | None:
    """Opens the model that `verifier` names and runs it once, on the CPU; None where the parameter is empty.

    Raises:
        ModelFileError, ModelBundleError: as of `create_classifier`.
        ConfigurationError: the model has no label `face`.
    """
    if not config.verifier:
        return None
    classifier = classifier_factory(
        ClassifierConfig(model=config.verifier, device="cpu", num_threads=config.num_threads)
    )
    verifier = NonFaceFilter(classifier)
    classifier.warm_up()
    return verifier
