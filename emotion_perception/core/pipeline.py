# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The whole recognition of one image without ROS: for video files, benchmarks and comparisons with the nodes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import create_classifier
from emotion_perception.core.classification.recognizer import EmotionRecognizer, limits_of
from emotion_perception.core.config import ClassifierConfig, DetectionConfig
from emotion_perception.core.detection.factory import FaceDetector, create_detector
from emotion_perception.core.detection.non_face_filter import NonFaceFilter, create_non_face_filter
from emotion_perception.core.tracking.face_tracking_pipeline import FaceTrackingPipeline
from emotion_perception.core.tracking.tracker import Tracker
from emotion_perception.core.types import Face, FaceEmotion


class Pipeline:
    """Detector, verifier, tracker, classifier and smoothing, one after the other, as the nodes run them.

    Args:
        detection: parameters of face_detection_node.
        classification: parameters of emotion_classifier_node.
        detector: what finds faces; made from `detection` where it is None.
        verifier: what refuses false ones; made from `detection` where it is None, and there none where it names none.
        recognizer: what recognizes emotions; made from `classification` where it is None.

    Raises:
        ConfigurationError, ModelFileError, ModelBundleError: as of `create_detector` and `create_classifier`.
    """

    def __init__(
        self,
        detection: DetectionConfig,
        classification: ClassifierConfig,
        *,
        detector: FaceDetector | None = None,
        verifier: NonFaceFilter | None = None,
        recognizer: EmotionRecognizer | None = None,
    ) -> None:
        self._detection, self._classification = detection, classification
        self.finder = FaceTrackingPipeline(
            detector or create_detector(detection), verifier or create_non_face_filter(detection), Tracker()
        )
        self.recognizer = recognizer or EmotionRecognizer(create_classifier(classification))

    def process(self, image_bgr: NDArray[np.uint8], stamp_s: float) -> list[FaceEmotion]:
        """Returns what each face of an image shows, best detections first.

        Args:
            image_bgr: uint8 (H, W, 3).
            stamp_s: when it was taken, in seconds; a step back forgets tracks and smoothing.
        """
        return self.recognize(image_bgr, self.find(image_bgr, stamp_s), stamp_s)

    def look(self, image_bgr: NDArray[np.uint8]) -> list[Face] | None:
        """Returns what the detector finds, see `FaceTrackingPipeline.look`; for working on several images at a time."""
        return self.finder.look(image_bgr, self._detection)

    def find(self, image_bgr: NDArray[np.uint8], stamp_s: float, *, seen: Sequence[Face] | None = None) -> list[Face]:
        """Returns the faces of an image with their numbers: the detection node's half of `process`.

        Args:
            image_bgr: uint8 (H, W, 3).
            stamp_s: when it was taken, in seconds.
            seen: what `look` said of this image.
        """
        return self.finder.find(image_bgr, stamp_s, self._detection, seen=seen)

    def recognize(self, image_bgr: NDArray[np.uint8], faces: Sequence[Face], stamp_s: float) -> list[FaceEmotion]:
        """Returns what faces of an image show: the classifier node's half of `process`."""
        return self.recognizer.recognize(image_bgr, faces, stamp_s, **limits_of(self._classification))
