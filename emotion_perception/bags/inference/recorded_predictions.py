# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What nodes answered while a recording was made: its EmotionArray messages, put beside its images."""

from collections.abc import Iterator
from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from emotion_perception.bags.inference.frame_result import (
    DROPPED,
    FAILED,
    NO_IMAGE,
    PROCESSED,
    SKIPPED,
    UNDECODABLE,
    FrameResult,
    ModelPredictionSource,
)
from emotion_perception.bags.io.images import DAMAGED, BagImage, image_topic, namespace_of, read_bag_images, stamp_ns
from emotion_perception.bags.io.messages import EMOTIONS, IMAGE_TYPES, typestore
from emotion_perception.bags.io.recorded_topic import Entry, Topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import ImageError, RecordingError
from emotion_perception.core.message_adapters import face_emotion_from_fields

_STATUS = (PROCESSED, NO_IMAGE, FAILED, SKIPPED)  # of EmotionArray.status


class RecordedPredictions:
    """The EmotionArrays of a recording.

    Args:
        recording: must hold one topic of them.
        wanted: the image topic, as of `image_topic`; a recording may hold no images.

    Attributes:
        model: of the first answer.
        image_topic: the images they are about, or None where there are none.
        unreadable: answers whose bytes are damaged.
        without_image: answers to images that are not in the recording.

    Raises:
        RecordingError: there are no answers, or they cannot be read.
    """

    def __init__(self, recording: Recording, wanted: str | None) -> None:
        self._recording = recording
        has_images = any(topic.type in IMAGE_TYPES and topic.count for topic in recording.topics)
        self.image_topic = image_topic(recording, wanted) if has_images or wanted is not None else None
        self._topic = _answers_topic(recording, self.image_topic)
        self._store = _recorded_types(self._topic)
        self.unreadable = self.without_image = 0
        self._answers = self._read()
        if not self._answers:
            raise RecordingError(f"{recording.path}: none of the answers on {self._topic.name} can be read")
        self.model = _model(self._message(next(iter(self._answers.values()))))

    def outcomes(self) -> Iterator[FrameResult]:
        """Yields every image with its answer; or, where there are no images, every answer."""
        if self.image_topic is None:
            for number, entry in enumerate(self._answers.values()):
                yield self._answered(entry, number=number, received_ns=entry.received_ns)
            return
        seen = set()
        for bag_image in read_bag_images(self._recording, self.image_topic):
            seen.add(bag_image.stamp_ns)
            answer = self._answers.get(bag_image.stamp_ns)
            yield _unanswered(bag_image) if answer is None else self._predicted_image(answer, bag_image)
        self.without_image = len(self._answers.keys() - seen)

    def _predicted_image(self, entry: Entry, bag_image: BagImage) -> FrameResult:
        try:
            image = bag_image.to_bgr()
        except ImageError:  # the answer's status says what the nodes made of it
            image = None
        size = None if image is None else (image.shape[1], image.shape[0])
        whole = {"received_ns": bag_image.received_ns, "image_bgr": image, "size": size, "raw": bag_image.raw}
        return self._answered(entry, number=bag_image.number, **whole)

    def _answered(self, entry: Entry, **bag_image: Any) -> FrameResult:
        message = self._message(entry)
        stamp = stamp_ns(message)
        return FrameResult(
            stamp_ns=stamp,
            outcome=_STATUS[message.status],
            emotions=tuple(map(face_emotion_from_fields, message.faces)),
            latency_ms=(entry.received_ns - stamp) * 1e-6,
            age_ms=float(message.age_ms),
            detect_ms=float(message.detect_ms),
            classify_ms=float(message.classify_ms),
            **bag_image,
        )

    def _read(self) -> dict[int, Entry]:
        """Returns the answers by stamp, as they were sent; of several for one stamp the first."""
        found: dict[int, Entry] = {}
        for entry in self._recording.messages([self._topic.name]):
            try:
                message = self._message(entry)
                _check(message)
                found.setdefault(stamp_ns(message), entry)
            except (*DAMAGED, AttributeError):
                self.unreadable += 1
        return found

    def _message(self, entry: Entry) -> Any:
        return self._store.deserialize_cdr(entry.raw, EMOTIONS)


def _check(message: Any) -> None:
    """Raises ValueError where an answer cannot be."""
    if message.status >= len(_STATUS):
        raise ValueError(f"status {message.status} is unknown")
    for emotion in map(face_emotion_from_fields, message.faces):
        sizes = {len(emotion.probabilities), len(emotion.smoothed_probabilities), len(message.labels)}
        if len(sizes) > 1 or emotion.label not in message.labels:
            raise ValueError(f"{len(emotion.probabilities)} probabilities and '{emotion.label}' for {message.labels}")


def _answers_topic(recording: Recording, images: Topic | None) -> Topic:
    """Returns the topic of answers: the only one, or the one beside the image topic."""
    topics = [topic for topic in recording.topics if topic.type == EMOTIONS and topic.count]
    if not topics:
        raise RecordingError(f"{recording.path}: holds no recorded emotions ({EMOTIONS})")
    beside = namespace_of(images.name) + "emotions" if images is not None else ""
    found = [topic for topic in topics if topic.name == beside] or topics
    if len(found) > 1:
        names = ", ".join(topic.name for topic in found)
        raise RecordingError(f"{recording.path}: has several topics of emotions, none beside the images: {names}")
    return found[0]


def _unanswered(bag_image: BagImage) -> FrameResult:
    return FrameResult(
        number=bag_image.number,
        stamp_ns=bag_image.stamp_ns,
        received_ns=bag_image.received_ns,
        outcome=DROPPED if bag_image.message is not None else UNDECODABLE,
        problem=bag_image.problem or "",
        raw=bag_image.raw,
    )


def _recorded_types(topic: Topic) -> Typestore:
    """Returns the types as the recording defines them, for it may be older than this package."""
    if not topic.definition:
        return typestore()
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(topic.definition, topic.type))
    return store


def _model(message: Any) -> ModelPredictionSource:
    return ModelPredictionSource(tuple(message.labels), message.model, message.model_sha256, message.device)
