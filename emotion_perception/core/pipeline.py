"""The whole recognition of one picture without ROS: for video files, benchmarks and comparisons with the nodes."""

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import create_classifier
from emotion_perception.core.config import ClassifierConfig, DetectionConfig
from emotion_perception.core.detection import FaceDetector, create_detector, select_faces
from emotion_perception.core.recognition import EmotionRecognizer
from emotion_perception.core.tracking import Tracker
from emotion_perception.core.types import FaceEmotion


class Pipeline:
    """Detector, tracker, classifier and smoothing, one after the other, as the nodes run them.

    Args:
        detection: parameters of face_detection_node.
        classification: parameters of emotion_classifier_node.
        detector: what finds faces; made from `detection` where it is None.
        recognizer: what recognises emotions; made from `classification` where it is None.

    Raises:
        ConfigurationError, ModelFileError, CheckpointError: as of `create_detector` and `create_classifier`.
    """

    def __init__(
        self,
        detection: DetectionConfig,
        classification: ClassifierConfig,
        *,
        detector: FaceDetector | None = None,
        recognizer: EmotionRecognizer | None = None,
    ) -> None:
        self._detection, self._classification = detection, classification
        self._detector = detector or create_detector(detection)
        self._tracker = Tracker()
        self.recognizer = recognizer or EmotionRecognizer(create_classifier(classification))

    def process(self, image_bgr: NDArray[np.uint8], stamp_s: float) -> list[FaceEmotion]:
        """Returns what each face of a picture shows, best detections first.

        Args:
            image_bgr: uint8 (H, W, 3).
            stamp_s: when it was taken, in seconds; a step back forgets tracks and smoothing.
        """
        config = self._detection
        faces = self._tracker.update(
            select_faces(self._detector.detect(image_bgr), config),
            stamp_s,
            min_iou=config.track_iou,
            max_missed_s=config.max_missed_s,
        )
        return self.recognizer.recognize(
            image_bgr,
            faces,
            stamp_s,
            smoothing_s=self._classification.smoothing_s,
            uncertain_below=self._classification.uncertain_below,
        )
