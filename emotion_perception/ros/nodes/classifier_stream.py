# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Classifies the faces of one camera: subscribes to its images and faces, publishes its emotions."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from emotion_perception.core.classification import EmotionClassifier, EmotionRecognizer, LoadShedder
from emotion_perception.core.classification.resting_expression import Calibration
from emotion_perception.core.sync import MAX_WAITING, LatestFrameWorker
from emotion_perception.core.types import FrameCounts, Status
from emotion_perception.ros import conversions
from emotion_perception.ros.config import ClassifierNodeConfig
from emotion_perception.ros.conversions import ClassificationResult, EmotionArray, FaceArray
from emotion_perception.ros.lifecycle_node import PerceptionNode, counts_status
from emotion_perception.ros.nodes.interop_publisher import InteropPublisherFactory
from emotion_perception.ros.process import STOP_TIMEOUT_S
from emotion_perception.ros.topic_names import resolved_topic
from emotion_perception.ros.transport.bounded_messages import OversizedMessage
from emotion_perception.ros.transport.image_messages import NO_PIXELS, image_to_bgr
from emotion_perception.ros.transport.result_publisher import ResultPublisher
from emotion_perception.ros.transport.subscriptions import AnyImage, SynchronizedSubscription

Pair = tuple[AnyImage | None, FaceArray | OversizedMessage]


class ClassifierStream:
    """Publishes one EmotionArray for every FaceArray of a camera; skips to the newest ones if it cannot keep up.

    Track ids and stamps belong to a camera, so each has its own smoothing and frame counts.

    Args:
        node: the classifier node; its live parameters apply from the next frame on.
        image_topic: the camera's images; `faces` and `emotions` are in the same namespace.
        classifier: shared by all cameras.
        interop: creates the publishers of messages of other packages.
        resources: destroys the publisher.

    Raises:
        ConfigurationError: `image_topic` is not a valid topic name, or as of `EmotionRecognizer.check`.

    Attributes:
        image_topic: as given.
        emotions_topic: full name of the topic of its results.
    """

    def __init__(
        self,
        node: PerceptionNode[ClassifierNodeConfig],
        image_topic: str,
        classifier: EmotionClassifier,
        interop: InteropPublisherFactory,
        resources: ExitStack,
    ) -> None:
        self._node, self.image_topic, self._classifier = node, image_topic, classifier
        self._recognizer, self._load_shedder = EmotionRecognizer(classifier), LoadShedder()
        self._recognizer.check(node.config.recognizer)
        # written by the worker thread, and by `LatestFrameWorker.stop` after it has excluded a thread that hangs
        self._published: Counter[int] = Counter()
        self._counts: Callable[[], FrameCounts] = FrameCounts
        resolved_topic(node, image_topic, "image_topics")  # or ConfigurationError
        self.emotions_topic = node.resolve_topic_name(self._topic("emotions"))
        self._emotions = ResultPublisher(node, EmotionArray, self._topic("emotions"), resources)
        self._interop = interop.create(self._topic(""), classifier.labels)

    def activate(self, resources: ExitStack) -> None:
        """Subscribes to images and faces.

        Args:
            resources: ends the subscriptions, then the thread, after an EmotionArray was published for every FaceArray
                that has arrived.
        """
        self._recognizer.reset()
        resources.callback(self._interop.clear)  # after the thread has ended
        on_failure = partial(self._node.count_failure, self.image_topic)
        worker = LatestFrameWorker(
            self._recognize,
            self._publish,
            on_failure,
            on_drop=self._skip,
            without_image=_without_image,
            max_waiting=MAX_WAITING,
        )
        self._counts = lambda: worker.counts
        resources.callback(self._node.diagnostics.frame_succeeded, self.image_topic)
        resources.callback(worker.stop, STOP_TIMEOUT_S)
        self._node.show_load(self.image_topic, worker.load, resources)

        def put(pair: Pair) -> None:
            self._load_shedder.arrive(time.monotonic())
            worker.put(pair)

        SynchronizedSubscription(
            self._node, FaceArray, self._topic("faces"), self.image_topic, put, self._node.config, resources
        )

    def calibrate(self, track_id: int, seconds: float) -> list[Calibration]:
        """Sets resting expressions, see `EmotionRecognizer.calibrate`."""
        return self._recognizer.calibrate(track_id, seconds, self._node.config.recognizer)

    def status(self) -> dict[str, int]:
        """Returns the number of EmotionArrays by status, and the frame counts since the last activation."""
        published = {status.name.lower(): self._published[status] for status in Status}
        recognizer = self._recognizer
        rejected = {name: getattr(recognizer, name) for name in ("regions_rejected", "outputs_rejected")}
        return {**published, **rejected, **counts_status(self._counts())}

    def _topic(self, name: str) -> str:
        """Returns the topic of that name in the namespace of the images."""
        namespace, slash, _ = self.image_topic.rpartition("/")
        return f"{namespace}{slash}{name}"

    def _recognize(self, pair: Pair) -> ClassificationResult:
        (image, message), begun_s, options = pair, time.monotonic(), self._node.config.recognizer
        self._node.trace("begun", conversions.stamp_ns(message.header))
        if isinstance(message, OversizedMessage):
            self._node.count_failed_frame(self.image_topic, message.problem)
            return _unread(message, Status.ERROR)
        if image is None:
            self._node.count_failed_frame(self.image_topic, "faces without their image")
            return ClassificationResult(message, Status.NO_IMAGE)
        valid = [face for face in conversions.faces_from_msg(message) if face is not None]
        budget = self._load_shedder.max_faces(options.max_load)
        limit_s, recognizer = self._load_shedder.time_limit_s(options.max_load), self._recognizer
        outside, not_finite = recognizer.regions_rejected, recognizer.outputs_rejected
        try:
            image_bgr, stamp_s = image_to_bgr(image) if valid else None, conversions.stamp_ns(message.header) * 1e-9
            emotions = recognizer.recognize(
                image_bgr, valid, stamp_s, options, max_classified=budget, time_limit_s=limit_s
            )
        except Exception as e:  # noqa: BLE001 - whatever one image does to a network, the next one is classified
            self._node.count_failure(self.image_topic, e)
            return ClassificationResult(message, Status.ERROR)
        classified = sum(emotion.classified for emotion in emotions)
        self._report_rejected(
            invalid=len(message.faces) - len(valid),
            outside=recognizer.regions_rejected - outside,
            not_finite=recognizer.outputs_rejected - not_finite,
            classified=classified,
        )
        if len(valid) > options.max_faces:
            self._node.count_fault(f"{len(valid)} faces in an image are more than max_faces {options.max_faces}")
        self._load_shedder.add_measurement(classified, time.monotonic() - begun_s)
        classify_ms = (time.monotonic() - begun_s) * 1e3
        return ClassificationResult(message, Status.OK, emotions, classify_ms, image_bgr=image_bgr)

    def _report_rejected(self, *, invalid: int, outside: int, not_finite: int, classified: int) -> None:
        counts = {
            "with an invalid region or another invalid value": invalid,
            "with a region outside the image": outside,
            "for which the model's outputs are not finite": not_finite,
        }
        text = ", ".join(f"{count} face(s) {problem}" for problem, count in counts.items() if count)
        if text and not classified:
            self._node.count_failed_frame(self.image_topic, text)
            return
        if text:
            self._node.count_fault(text)
        self._node.diagnostics.frame_succeeded(self.image_topic)

    def _skip(self, pair: Pair) -> None:
        image, message = pair
        status = Status.NO_IMAGE if image is None else Status.SKIPPED
        if isinstance(message, OversizedMessage):
            self._publish(_unread(message, status))
        else:
            self._publish(ClassificationResult(message, status))

    def _publish(self, result: ClassificationResult, counts: FrameCounts | None = None) -> None:
        self._published[result.status] += 1
        self._emotions.publish(result.to_msg(self._classifier.info, self._node.get_clock().now()))
        if result.status is Status.OK:  # another status tells nothing about faces
            self._interop.publish(result)
        self._node.set_problem("device", self._classifier.device_problem)


def _without_image(pair: Pair) -> Pair:
    """Returns a pair without the memory of its image, for `_skip`, which only asks whether there is one."""
    image, message = pair
    return (None if image is None else NO_PIXELS), message


def _unread(message: OversizedMessage, status: Status) -> ClassificationResult:
    return ClassificationResult(FaceArray(header=message.header), status, unread_faces=message.count)
