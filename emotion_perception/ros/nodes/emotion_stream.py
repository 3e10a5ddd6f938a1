# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""One camera's way through the classifier: its images and faces in, its emotions out."""

import time
from collections import Counter

from rclpy.exceptions import InvalidTopicNameException

from emotion_perception.core.classification.classifier import EmotionClassifier
from emotion_perception.core.classification.load_shedding import LoadShedder
from emotion_perception.core.classification.recognizer import EmotionRecognizer, limits_of
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.errors import ConfigurationError, one_line
from emotion_perception.core.sync.latest_frame import LatestFrameWorker
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros import conversions
from emotion_perception.ros.conversions import ClassificationResult, EmotionArray, FaceArray, ModelInfo
from emotion_perception.ros.lifecycle_node import STOP_TIMEOUT_S, PerceptionNode, counts_status
from emotion_perception.ros.transport.image_messages import image_to_bgr
from emotion_perception.ros.transport.result_publisher import ResultPublisher
from emotion_perception.ros.transport.subscriptions import AnyImage, SynchronizedSubscription

Pair = tuple[AnyImage | None, FaceArray]


class EmotionStream:
    """Answers every FaceArray of one camera; the newest ones with emotions where it cannot keep up.

    Faces are numbered and stamps increase a camera, so each has a smoothing and a frame accounting of its own.

    Args:
        node: the classifier node; its live parameters hold for the next frame.
        image_topic: the camera's images; `faces` and `emotions` are beside it.
        classifier: shared by all cameras.

    Raises:
        ConfigurationError: `image_topic` is no name of a topic.

    Attributes:
        image_topic: as given.
    """

    def __init__(self, node: PerceptionNode[ClassifierConfig], image_topic: str, classifier: EmotionClassifier) -> None:
        self._node, self.image_topic, self._classifier = node, image_topic, classifier
        self._recognizer, self._budget = EmotionRecognizer(classifier), LoadShedder()
        self._answers: Counter[int] = Counter()
        self._counts = FrameCounts()
        self._worker: LatestFrameWorker[Pair, ClassificationResult] | None = None
        self._input: SynchronizedSubscription | None = None
        try:
            self._emotions = ResultPublisher(node, EmotionArray, self._beside("emotions"))
        except InvalidTopicNameException as e:
            raise ConfigurationError(f"image_topics: '{image_topic}' is no name of a topic ({one_line(e)})") from e

    def start(self) -> None:
        """Begins to take images and faces."""
        self._recognizer.reset()
        self._worker = LatestFrameWorker(self._recognize, self._publish, self._node.count_failure, on_drop=self._skip)
        self._input = SynchronizedSubscription(
            self._node, FaceArray, self._beside("faces"), self.image_topic, self._worker.put, self._node.config
        )

    def stop(self) -> None:
        """Takes no more, and answers what still waits."""
        if self._input is not None:
            self._input.close()
        if self._worker is not None:
            self._worker.stop(STOP_TIMEOUT_S)
            self._counts = self._worker.counts
        self._input = self._worker = None

    def close(self) -> None:
        """Withdraws the emotions."""
        self._emotions.close()

    def status(self) -> dict[str, int]:
        """Returns how many FaceArrays got which answer, and the frame accounting since the last start."""
        counts = self._counts if self._worker is None else self._worker.counts
        answers = {name.lower(): self._answers[getattr(EmotionArray, name)] for name in conversions.STATUSES}
        refused = {"regions_rejected": self._recognizer.regions_rejected}
        return {**answers, **refused, **counts_status(counts)}

    def _beside(self, name: str) -> str:
        """Returns the topic of that name in the namespace of the images."""
        namespace, slash, _ = self.image_topic.rpartition("/")
        return f"{namespace}{slash}{name}"

    def _recognize(self, pair: Pair) -> ClassificationResult:
        (image, message), begun_s, config = pair, time.monotonic(), self._node.config
        self._node.trace("begun", conversions.stamp_ns(message.header))
        if image is None:
            self._node.count_fault("faces came without their image")
            return ClassificationResult(message, EmotionArray.NO_IMAGE)
        known = [face for face in conversions.faces_from_msg(message) if face is not None]
        faces = self._budget.choose(known, begun_s, share=config.max_load)
        try:
            image_bgr, stamp_s = image_to_bgr(image) if faces else None, conversions.stamp_ns(message.header) * 1e-9
            emotions = self._recognizer.recognize(image_bgr, faces, stamp_s, **limits_of(config))
        except Exception as e:  # noqa: BLE001 - whatever one image does to a network, the next one is answered
            self._node.count_fault(str(e) or type(e).__name__)
            return ClassificationResult(message, EmotionArray.ERROR)
        if refused := len(message.faces) - len(known) + len(faces) - len(emotions):
            self._node.count_fault(f"{refused} face(s) with a region outside the image")
        self._budget.measured(len(faces), time.monotonic() - begun_s)
        return ClassificationResult(message, EmotionArray.OK, emotions, (time.monotonic() - begun_s) * 1e3)

    def _skip(self, pair: Pair) -> None:
        self._publish(ClassificationResult(pair[1], EmotionArray.NO_IMAGE if pair[0] is None else EmotionArray.SKIPPED))

    def _publish(self, answer: ClassificationResult, counts: FrameCounts | None = None) -> None:
        self._answers[answer.status] += 1
        self._emotions.publish(answer.to_msg(ModelInfo.of(self._classifier), self._node.get_clock().now()))
        self._node.set_problem("device", self._classifier.device_problem)
