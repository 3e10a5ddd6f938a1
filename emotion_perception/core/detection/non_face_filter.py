# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rejects false detections with a small network that separates faces from other things."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import ConfigurationError, ModelBundleError
from emotion_perception.core.images import square_crop
from emotion_perception.core.types import Face

FACE_LABEL = "face"
_BATCH = 32  # regions per batch: an image with a thousand false detections must not fill the memory


class CropSpec(Protocol):
    """The part of a `ModelSpec` that is used."""

    @property
    def crop_margin(self) -> float:
        """Share of a region's longer side added on each side of it."""
        ...


class CropClassifier(Protocol):
    """Classifies crops of faces, as `EmotionClassifier` does."""

    @property
    def model_name(self) -> str:
        """Name of the model, for messages."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each probability."""
        ...

    @property
    def spec(self) -> CropSpec:
        """How the crops are cut."""
        ...

    def classify(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Returns float32 (N, L) probabilities of N crops, uint8 (S, S, 3); NaN where they are unknown."""
        ...


class NonFaceFilter:
    """Keeps the detections that a classifier takes for faces.

    Args:
        classifier: has the label `face`.

    Attributes:
        rejected: detections rejected so far.

    Raises:
        ConfigurationError: the classifier has no label `face`.
    """

    def __init__(self, classifier: CropClassifier) -> None:
        if FACE_LABEL not in classifier.labels:
            labels = ", ".join(classifier.labels)
            raise ConfigurationError(
                f"non_face_filter {classifier.model_name} has no label '{FACE_LABEL}', its labels are {labels}"
            )
        self.rejected = 0
        self._classifier = classifier
        self._face_index = classifier.labels.index(FACE_LABEL)

    def filter(
        self, image_bgr: NDArray[np.uint8], faces: Sequence[Face], *, threshold: float, max_faces: int
    ) -> list[Face]:
        """Returns the first `max_faces` detections that are faces, in their order; later ones are not classified.

        Args:
            image_bgr: uint8 (H, W, 3).
            faces: regions with at least one pixel in the image, best first.
            threshold: minimum probability of `face`, 0..1; a detection below it is rejected.
            max_faces: from 1.

        Raises:
            RegionError: a region lies outside the image.
            ModelBundleError: an output of the classifier is not finite.
        """
        accepted: list[Face] = []
        while len(accepted) < max_faces and faces:
            count = min(_BATCH, max_faces - len(accepted))
            batch, faces = faces[:count], faces[count:]
            probabilities = self._face_probabilities(image_bgr, batch)
            passed = [face for face, p in zip(batch, probabilities, strict=True) if p >= threshold]
            self.rejected += len(batch) - len(passed)
            accepted += passed
        return accepted

    def _face_probabilities(self, image_bgr: NDArray[np.uint8], faces: Sequence[Face]) -> list[float]:
        """Returns the probability of `face` for each region."""
        margin = self._classifier.spec.crop_margin
        crops = [square_crop(image_bgr, face.box, margin) for face in faces]
        probabilities = self._classifier.classify(crops)[:, self._face_index].tolist()
        if any(map(math.isnan, probabilities)):
            raise ModelBundleError(f"non_face_filter {self._classifier.model_name}: its outputs are not finite")
        return probabilities
