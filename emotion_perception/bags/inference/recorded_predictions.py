# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the EmotionArray messages of a recording and joins them with its images by stamp."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from emotion_perception.bags.inference.frame_result import (
    DROPPED,
    FAILED,
    NO_IMAGE,
    PROCESSED,
    SKIPPED,
    UNDECODABLE,
    FrameResult,
)
from emotion_perception.bags.io.images import (
    BagImage,
    has_camera_name,
    image_topic,
    namespace_of,
    read_bag_images,
    stamp_ns,
)
from emotion_perception.bags.io.limits import MAX_INTEGER
from emotion_perception.bags.io.messages import DAMAGED, EMOTIONS, IMAGE_TYPES, recorded_typestore
from emotion_perception.bags.io.recorded_topic import Entry, Topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import ImageError, RecordingError, one_line
from emotion_perception.core.message_adapters import MAX_RESULT_BYTES, emotions_from_fields
from emotion_perception.core.printable import printable
from emotion_perception.core.types import FaceEmotion, ModelInfo, Status

_FRAME_STATUS = {Status.OK: PROCESSED, Status.NO_IMAGE: NO_IMAGE, Status.ERROR: FAILED, Status.SKIPPED: SKIPPED}
_SHOWN = 200  # characters of a name of a recording
_DAY_MS = 24 * 3600 * 1e3
_TIMES_MS = {  # what can be; an image can be years old where an old recording was played
    "latency_ms": (0.0, _DAY_MS),
    "age_ms": (-_DAY_MS, MAX_INTEGER * 1e-6),
    "detect_ms": (0.0, _DAY_MS),
    "classify_ms": (0.0, _DAY_MS),
}
_ROUNDING = 1e-3  # of probabilities
_Key = tuple[int, int]  # see `RecordedPredictions._read`


class RecordedPredictions:
    """The predictions of the nodes that ran while a recording was made: its EmotionArrays.

    The probabilities are brought into one order of the labels. EmotionArrays of another set of labels than that of most
    of them, as of a classifier that was started again with another model, are left out. A face with a probability or a
    score that is not within 0..1 counts as one without a prediction, and a time that cannot be as not measured.

    Args:
        recording: has one topic of them, or one beside the image topic.
        topic: name of the image topic, see `image_topic`; a recording may have no images.

    Attributes:
        model: the model of the first EmotionArray that is not left out.
        topic: topic of the images that were classified, or None if the recording has no images.

    Raises:
        RecordingError: there are no EmotionArrays, or none of them can be read.
    """

    def __init__(self, recording: Recording, topic: str | None) -> None:
        self._recording = recording
        has_images = any(entry.type in IMAGE_TYPES and entry.count for entry in recording.topics)
        self.topic = image_topic(recording, topic) if has_images or topic is not None else None
        self._emotions_topic = _emotions_topic(recording, self.topic)
        raw_messages = (entry.raw for entry in recording.messages([self._emotions_topic.name]))
        self._store = recorded_typestore(self._emotions_topic, raw_messages)
        self._unreadable = self._without_image = self._undecodable = self._invalid_faces = self._invalid_times = 0
        self._repeated_faces = 0
        self._unread_reason = self._reason = ""  # why the first one cannot be read, or its image not be decoded
        self._entries, models = self._read()
        if not self._entries:
            what = f"no prediction on {self._emotions_topic.name} can be read"
            raise RecordingError(f"{recording.path}: {what} ({self._unread_reason})")
        self.model = _most_common(models) or _model_info(self._message(next(iter(self._entries.values()))))
        others = [key for key, model in models.items() if {*model.labels} != {*self.model.labels}]
        for key in others:
            del self._entries[key], models[key]
        self._other_labels = len(others)
        self._other_models = sum(model.model_sha256 != self.model.model_sha256 for model in models.values())

    def frame_results(self) -> Iterator[FrameResult]:
        """Yields the result of each image; of a recording without images, one for each EmotionArray."""
        if self.topic is None:
            for index, entry in enumerate(self._entries.values()):
                yield self._result(entry, index=index, received_ns=entry.received_ns)
            return
        images: Counter[int] = Counter()  # of each stamp
        joined = 0
        for bag_image in read_bag_images(self._recording, self.topic):
            recorded = None
            if bag_image.message is not None:
                recorded = self._entries.get((bag_image.stamp_ns, images[bag_image.stamp_ns]))
                images[bag_image.stamp_ns] += 1
            joined += recorded is not None
            yield _result_without_prediction(bag_image) if recorded is None else self._joined(recorded, bag_image)
        self._without_image = len(self._entries) - joined

    def problems(self) -> list[str]:
        """Returns a line for each kind of problem; complete after `frame_results`."""
        labels = printable(", ".join(self.model.labels))[:_SHOWN]
        counts = {
            f"recorded predictions cannot be read, the first: {self._unread_reason}": self._unreadable,
            f"recorded predictions are left out, as their labels are not {labels}": self._other_labels,
            f"recorded predictions are of another model than {printable(self.model.model)[:_SHOWN]}": (
                self._other_models
            ),
            "recorded predictions belong to images that are not in the recording": self._without_image,
            "faces count as not classified, as a recorded probability or score is not within 0..1": self._invalid_faces,
            "faces are left out, as their track ids repeat in a recorded prediction": self._repeated_faces,
            "recorded times are left out, as they are not finite or out of range": self._invalid_times,
            f"images with a recorded prediction cannot be decoded, the first: {self._reason}": self._undecodable,
        }
        return [f"{count} {what}" for what, count in counts.items() if count]

    def _joined(self, entry: Entry, bag_image: BagImage) -> FrameResult:
        """Returns the result of an image from its EmotionArray."""
        try:
            image = bag_image.to_bgr()
        except ImageError as e:  # the status of the EmotionArray counts, not whether it can be decoded here
            image = None
            self._undecodable += 1
            self._reason = self._reason or str(e)
        return self._result(
            entry,
            index=bag_image.number,
            received_ns=bag_image.received_ns,
            image_bgr=image,
            size=None if image is None else (image.shape[1], image.shape[0]),
            raw=bag_image.raw,
        )

    def _result(self, entry: Entry, **image_fields: Any) -> FrameResult:
        message = self._message(entry)
        stamp = stamp_ns(message)
        recorded = self._without_repeated(emotions_from_fields(message))
        valid = [_is_valid(emotion) for emotion in recorded]
        self._invalid_faces += valid.count(False)
        emotions = [
            emotion if is_valid else FaceEmotion.without_prediction(emotion.face)
            for emotion, is_valid in zip(recorded, valid, strict=True)
        ]
        latency_ms = (entry.received_ns - stamp) * 1e-6  # of clocks that may differ
        times: dict[str, Any] = {
            name: _valid_or_none(latency_ms if name == "latency_ms" else getattr(message, name), *limits)
            for name, limits in _TIMES_MS.items()
        }
        self._invalid_times += sum(value is None for value in times.values())
        return FrameResult(
            stamp_ns=stamp,
            status=_FRAME_STATUS[Status(message.status)],
            emotions=_in_order(emotions, message.labels, self.model.labels),
            **times,
            **image_fields,
        )

    def _without_repeated(self, emotions: Sequence[FaceEmotion]) -> list[FaceEmotion]:
        """Returns the first face of each track; faces without a track are all different."""
        seen: set[int] = set()
        first = []
        for emotion in emotions:
            track_id = emotion.face.track_id
            if track_id and track_id in seen:
                self._repeated_faces += 1
            else:
                first.append(emotion)
            seen.add(track_id)
        return first

    def _read(self) -> tuple[dict[_Key, Entry], dict[_Key, ModelInfo]]:
        """Returns the EmotionArrays, and the models of those with faces, in the order of recording.

        The key is the stamp, and the number of earlier ones with the same stamp, because the n-th image with a stamp
        has the n-th EmotionArray with it.
        """
        entries: dict[_Key, Entry] = {}
        models: dict[_Key, ModelInfo] = {}
        stamps: Counter[int] = Counter()
        known: dict[ModelInfo, ModelInfo] = {}
        for entry in self._recording.messages([self._emotions_topic.name]):
            try:
                message = self._message(entry)
                Status(message.status)
                emotions, model, stamp = emotions_from_fields(message), _model_info(message), stamp_ns(message)
                if len({*model.labels}) < len(model.labels):
                    raise ValueError("a label is there more than once")
                if any(not label or printable(label) != label for label in model.labels):
                    raise ValueError("a label is empty or not printable")
                if any(emotion.face.track_id > MAX_INTEGER for emotion in emotions):
                    raise ValueError("a track id that no tracker gives")
            except (*DAMAGED, AttributeError) as e:
                self._unreadable += 1
                self._unread_reason = self._unread_reason or one_line(e)[:_SHOWN]
                continue
            key = stamp, stamps[stamp]
            stamps[stamp] += 1
            entries[key] = entry
            if emotions:
                models[key] = known.setdefault(model, model)
        return entries, models

    def _message(self, entry: Entry) -> Any:
        if len(entry.raw) > MAX_RESULT_BYTES:
            raise ValueError(f"a message of {len(entry.raw)} bytes is larger than {MAX_RESULT_BYTES}")
        return self._store.deserialize_cdr(entry.raw, EMOTIONS)


def _emotions_topic(recording: Recording, images: Topic | None) -> Topic:
    """Returns the topic of EmotionArrays beside the image topic, or the only one that is not beside another camera."""
    topics = [topic for topic in recording.topics if topic.type == EMOTIONS and topic.count]
    if not topics:
        raise RecordingError(f"{recording.path}: holds no recorded emotions ({EMOTIONS})")
    own = namespace_of(images.name) if images is not None else ""
    cameras = [topic.name for topic in recording.topics if topic.type in IMAGE_TYPES and has_camera_name(topic.name)]
    others = {namespace_of(name) for name in cameras} - {own}
    candidates = [topic for topic in topics if topic.name == f"{own}emotions"]
    candidates = candidates or [topic for topic in topics if namespace_of(topic.name) not in others]
    if len(candidates) != 1:
        what = (
            "has several topics of emotions, none beside the images" if candidates else "has no emotions of the images"
        )
        images_topic = f" of {images.name}" if images is not None else ""
        names = ", ".join(topic.name for topic in topics)
        raise RecordingError(f"{recording.path}: {what}{images_topic}; its topics of emotions: {names}")
    return candidates[0]


def _most_common(models: Mapping[_Key, ModelInfo]) -> ModelInfo | None:
    """Returns the first model with the most common set of labels."""
    counts = Counter(frozenset(model.labels) for model in models.values())
    most = max(counts, key=counts.__getitem__, default=None)
    return next((model for model in models.values() if frozenset(model.labels) == most), None)


def _is_valid(emotion: FaceEmotion) -> bool:
    """Returns whether all probabilities and the score are within 0..1."""
    values = np.concatenate([emotion.probabilities, emotion.smoothed_probabilities, [emotion.score]])
    return bool(((values >= -_ROUNDING) & (values <= 1 + _ROUNDING)).all())  # NaN is not


def _valid_or_none(value: float, least: float, most: float) -> float | None:
    return float(value) if least <= value <= most else None


def _in_order(emotions: list[FaceEmotion], labels: Sequence[str], wanted: Sequence[str]) -> tuple[FaceEmotion, ...]:
    """Returns emotions with the probability of each label at its place in the wanted labels."""
    if not emotions or [*labels] == [*wanted]:
        return tuple(emotions)
    order = [labels.index(label) for label in wanted]
    return tuple(
        replace(
            emotion,
            probabilities=emotion.probabilities[order] if emotion.classified else emotion.probabilities,
            smoothed_probabilities=(
                emotion.smoothed_probabilities[order]
                if len(emotion.smoothed_probabilities)
                else emotion.smoothed_probabilities
            ),
        )
        for emotion in emotions
    )


def _result_without_prediction(bag_image: BagImage) -> FrameResult:
    return FrameResult(
        index=bag_image.number,
        stamp_ns=bag_image.stamp_ns,
        received_ns=bag_image.received_ns,
        status=DROPPED if bag_image.message is not None else UNDECODABLE,
        problem=bag_image.problem or "",
        raw=bag_image.raw,
    )


def _model_info(message: Any) -> ModelInfo:
    return ModelInfo(tuple(message.labels), message.model, message.model_sha256, message.device, bool(message.fallback))
