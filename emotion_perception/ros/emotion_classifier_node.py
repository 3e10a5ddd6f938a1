"""emotion_classifier_node: what the faces show.

Subscribes `faces` (emotion_perception/FaceArray) and `image_raw` (sensor_msgs/Image), joined by equal stamps. Publishes
`emotions` (emotion_perception/EmotionArray), one for every FaceArray, under the source image's header.
"""

import time
from collections import Counter

from sensor_msgs.msg import Image

from emotion_perception.core.classification import create_classifier
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.latest_frame import LatestFrameWorker
from emotion_perception.core.recognition import EmotionRecognizer
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros import conversions
from emotion_perception.ros.conversions import Answer, EmotionArray, FaceArray
from emotion_perception.ros.images import image_to_bgr
from emotion_perception.ros.node import STOP_TIMEOUT_S, PerceptionNode, run_node
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.subscriptions import JoinedSubscription

Pair = tuple[Image | None, FaceArray]


class EmotionClassifierNode(PerceptionNode[ClassifierConfig]):
    """Classifies the faces that the detection node found, the newest ones where it cannot keep up."""

    def __init__(self, *, classifier_factory=create_classifier, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__("emotion_classifier_node", ClassifierConfig, **options)
        self._make_classifier = classifier_factory
        self._recognizer = self._input = self._worker = self._identity = None
        self._answers = Counter()

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
        self._worker = LatestFrameWorker(self._recognize, self._publish, self.count_failure, on_drop=self._skip)
        self._input = JoinedSubscription(self, FaceArray, "faces", self._worker.put, self.config)

    def stop(self) -> None:
        """Takes no more, and answers what still waits."""
        if self._input is not None:
            self._input.close()
            self._worker.stop(STOP_TIMEOUT_S)
        self._input = self._worker = None

    def teardown(self) -> None:
        """Lets the model go."""
        if self._recognizer is not None:
            self._recognizer = None
            self.destroy_lifecycle_publisher(self._emotions)

    def status(self) -> dict[str, object]:
        """Tells the model, the device, and how many FaceArrays got which status."""
        answers = {name.lower(): self._answers[getattr(EmotionArray, name)] for name in conversions.STATUSES}
        if self._recognizer is None:
            return answers
        return {**answers, **vars(self._identity), "regions_refused": self._recognizer.regions_refused}

    def _recognize(self, pair: Pair) -> Answer:
        (image, message), begun_s, config = pair, time.monotonic(), self.config
        if image is None:
            self.count_fault("faces came without their image")
            return Answer(message, EmotionArray.NO_IMAGE)
        faces = [face for face in conversions.faces_from_msg(message) if face is not None]
        limits = {"smoothing_s": config.smoothing_s, "uncertain_below": config.uncertain_below}
        try:
            image_bgr = image_to_bgr(image) if faces else None
            stamp_s = conversions.stamp_ns(message.header) * 1e-9
            emotions = self._recognizer.recognize(image_bgr, faces, stamp_s, **limits)
        except Exception as e:  # noqa: BLE001 - whatever one picture does to a network, the next one is answered
            self.count_fault(str(e) or type(e).__name__)
            return Answer(message, EmotionArray.ERROR)
        if len(emotions) < len(message.faces):
            self.count_fault(f"{len(message.faces) - len(emotions)} face(s) with a region outside the image")
        return Answer(message, EmotionArray.OK, emotions, (time.monotonic() - begun_s) * 1e3)

    def _skip(self, pair: Pair) -> None:
        image, message = pair
        self._publish(Answer(message, EmotionArray.NO_IMAGE if image is None else EmotionArray.SKIPPED))

    def _publish(self, answer: Answer, counts: FrameCounts | None = None) -> None:
        self._answers[answer.status] += 1
        self._emotions.publish(answer.to_msg(self._identity, self.get_clock().now()))


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(EmotionClassifierNode)
