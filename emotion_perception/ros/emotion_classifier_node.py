"""emotion_classifier_node: what the faces show.

Subscribes `faces` (emotion_perception/FaceArray) and `image_raw` (sensor_msgs/Image), joined by equal stamps. Publishes
`emotions` (emotion_perception/EmotionArray), one for every FaceArray, under the source image's header.
"""

import time
from collections import Counter

from emotion_perception.core.classification import create_classifier
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.face_budget import FaceBudget
from emotion_perception.core.latest_frame import LatestFrameWorker
from emotion_perception.core.recognition import EmotionRecognizer, limits_of
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros import conversions
from emotion_perception.ros.conversions import Answer, EmotionArray, FaceArray
from emotion_perception.ros.images import image_to_bgr
from emotion_perception.ros.node import STOP_TIMEOUT_S, PerceptionNode, counts_status, run_node
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.subscriptions import AnyImage, JoinedSubscription


class EmotionClassifierNode(PerceptionNode[ClassifierConfig]):
    """Classifies the faces that the detection node found, the newest ones where it cannot keep up."""

    def __init__(self, *, classifier_factory=create_classifier, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__("emotion_classifier_node", ClassifierConfig, **options)
        self._make_classifier, self._answers, self._budget = classifier_factory, Counter(), FaceBudget()
        self._recognizer = self._input = self._worker = None

    def setup(self) -> None:
        """Loads the model and runs it once."""
        classifier = self._make_classifier(self.config)
        classifier.warm_up(require_gpu=self.config.require_gpu)
        self._recognizer = EmotionRecognizer(classifier)
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
        if self._worker is not None:
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
        used = {"regions_refused": it.regions_refused, **vars(self._identity)} if (it := self._recognizer) else {}
        return {**answers, **used, **({} if self._worker is None else counts_status(self._worker.counts))}

    @property
    def _identity(self) -> conversions.ModelIdentity:
        return conversions.ModelIdentity.of(self._recognizer.classifier)

    def _recognize(self, pair: tuple[AnyImage | None, FaceArray]) -> Answer:
        (image, message), begun_s, config = pair, time.monotonic(), self.config
        self.trace("begun", conversions.stamp_ns(message.header))
        if image is None:
            self.count_fault("faces came without their image")
            return Answer(message, EmotionArray.NO_IMAGE)
        known = [face for face in conversions.faces_from_msg(message) if face is not None]
        faces = self._budget.choose(known, begun_s, share=config.time_share)
        try:
            image_bgr, stamp_s = image_to_bgr(image) if faces else None, conversions.stamp_ns(message.header) * 1e-9
            emotions = self._recognizer.recognize(image_bgr, faces, stamp_s, **limits_of(config))
        except Exception as e:  # noqa: BLE001 - whatever one picture does to a network, the next one is answered
            self.count_fault(str(e) or type(e).__name__)
            return Answer(message, EmotionArray.ERROR)
        if refused := len(message.faces) - len(known) + len(faces) - len(emotions):
            self.count_fault(f"{refused} face(s) with a region outside the image")
        self._budget.measured(len(faces), time.monotonic() - begun_s)
        return Answer(message, EmotionArray.OK, emotions, (time.monotonic() - begun_s) * 1e3)

    def _skip(self, pair: tuple[AnyImage | None, FaceArray]) -> None:
        self._publish(Answer(pair[1], EmotionArray.NO_IMAGE if pair[0] is None else EmotionArray.SKIPPED))

    def _publish(self, answer: Answer, counts: FrameCounts | None = None) -> None:
        self._answers[answer.status] += 1
        self._emotions.publish(answer.to_msg(self._identity, self.get_clock().now()))
        self.note_published(answer.source.header)
        self.set_problem("device", self._recognizer.classifier.device_problem)


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(EmotionClassifierNode)
