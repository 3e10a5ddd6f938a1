"""emotion_classifier_node: what the faces show.

Subscribes `faces` (emotion_perception/FaceArray) and `image_raw` (sensor_msgs/Image), joined by equal stamps. Publishes
`emotions` (emotion_perception/EmotionArray), one for every FaceArray, under the source image's header.
"""

import time

from sensor_msgs.msg import Image

from emotion_perception.core.classification import create_classifier
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.recognition import EmotionRecognizer
from emotion_perception.core.types import FaceEmotion
from emotion_perception.ros import conversions
from emotion_perception.ros.conversions import EmotionArray, FaceArray
from emotion_perception.ros.images import image_to_bgr
from emotion_perception.ros.node import PerceptionNode, run_node
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.subscriptions import JoinedSubscription


class EmotionClassifierNode(PerceptionNode[ClassifierConfig]):
    """Classifies the faces that the detection node found."""

    def __init__(self, *, classifier_factory=create_classifier, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__("emotion_classifier_node", ClassifierConfig, **options)
        self._make_classifier = classifier_factory
        self._recognizer = self._input = self._identity = None
        self._answered = 0

    def setup(self) -> None:
        """Loads the model and runs it once."""
        classifier = self._make_classifier(self.config)
        classifier.warm_up()
        self._recognizer = EmotionRecognizer(classifier)
        self._identity = conversions.ModelIdentity.of(classifier)
        self._emotions = self.create_lifecycle_publisher(EmotionArray, "emotions", RESULTS)

    def start(self) -> None:
        """Begins to take images and faces."""
        self._recognizer.reset()
        self._input = JoinedSubscription(self, FaceArray, "faces", self._answer, self.config)

    def stop(self) -> None:
        """Answers what still waits, and takes no more."""
        if self._input is not None:
            self._input.close()
        self._input = None

    def teardown(self) -> None:
        """Lets the model go."""
        if self._recognizer is not None:
            self._recognizer = None
            self.destroy_lifecycle_publisher(self._emotions)

    def status(self) -> dict[str, object]:
        """Tells the model, the device and what could not be answered."""
        values: dict[str, object] = {"answered": self._answered}
        if self._recognizer is not None:
            values |= {**vars(self._identity), "regions_refused": self._recognizer.regions_refused}
        if self._input is not None:
            values["unmatched"] = self._input.unmatched
        return values

    def _answer(self, image: Image | None, faces: FaceArray) -> None:
        begun_s = time.monotonic()
        status, emotions = self._recognize(image, faces)
        self._answered += 1
        classify_ms = (time.monotonic() - begun_s) * 1e3
        age_ms = (self.get_clock().now().nanoseconds - conversions.stamp_ns(faces.header)) * 1e-6
        costs = {"classify_ms": classify_ms, "age_ms": age_ms}
        self._emotions.publish(
            conversions.emotions_to_msg(faces, emotions, status=status, identity=self._identity, **costs)
        )

    def _recognize(self, image: Image | None, message: FaceArray) -> tuple[int, list[FaceEmotion]]:
        if image is None:
            self.count_fault("faces came without their image")
            return EmotionArray.NO_IMAGE, []
        faces = [face for face in conversions.faces_from_msg(message) if face is not None]
        config, stamp_s = self.config, conversions.stamp_ns(message.header) * 1e-9
        try:
            image_bgr = image_to_bgr(image) if faces else None
            emotions = self._recognizer.recognize(
                image_bgr, faces, stamp_s, smoothing_s=config.smoothing_s, uncertain_below=config.uncertain_below
            )
        except Exception as e:  # noqa: BLE001 - whatever one picture does to a network, the next one is answered
            self.count_fault(str(e) or type(e).__name__)
            return EmotionArray.ERROR, []
        if len(emotions) < len(message.faces):
            self.count_fault(f"{len(message.faces) - len(emotions)} face(s) with a region outside the image")
        return EmotionArray.OK, emotions


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(EmotionClassifierNode)
