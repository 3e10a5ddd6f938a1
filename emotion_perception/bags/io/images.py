# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image topics of recordings, and their images."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.io.limits import MAX_INTEGER
from emotion_perception.bags.io.messages import CAMERA_INFO, COMPRESSED, DAMAGED, IMAGE_TYPES, NS, typestore
from emotion_perception.bags.io.recorded_topic import Topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import ImageError, RecordingError, one_line
from emotion_perception.core.images import compressed_to_bgr, raw_to_bgr

_CAMERA_TOPICS = ("image_raw", "image_raw/compressed", "image_rect", "image")  # last part of the names


@dataclass(frozen=True, eq=False)
class BagImage:
    """One message of the image topic.

    Attributes:
        number: position among the messages of the topic, from 0.
        stamp_ns: stamp of its header; if the message is damaged, that of the last one before it which is not, or of the
            first one in the recording. If all are damaged, `received_ns`.
        received_ns: time at which it was recorded.
        message_type: type of the message, one of `IMAGE_TYPES`.
        raw: the message in CDR.
        message: the deserialized message, or None if it is damaged.
        problem: description of the damage, or None.
    """

    number: int
    stamp_ns: int
    received_ns: int
    message_type: str
    raw: bytes
    message: Any | None
    problem: str | None

    @property
    def stamp_s(self) -> float:
        """The stamp in seconds."""
        return self.stamp_ns * 1e-9

    def to_bgr(self) -> NDArray[np.uint8]:
        """Returns the image as uint8 (H, W, 3) BGR.

        Raises:
            ImageError: the message is damaged, or cannot be converted (`raw_to_bgr`, `compressed_to_bgr`).
        """
        if self.message is None:
            raise ImageError(self.problem)
        if self.message_type == COMPRESSED:
            return compressed_to_bgr(self.message.data, self.message.format)
        return raw_to_bgr(self.message)


def image_topic(recording: Recording, name: str | None, *, option: str = "--topic") -> Topic:
    """Returns the image topic with a given name, or the topic of the camera.

    Args:
        recording: the recording.
        name: name of the topic; None takes the only topic with images, or the only one with a usual name of cameras.
        option: how the user of this program names the topic; for the error message.

    Raises:
        RecordingError: there is no such topic, or several; the message lists the image topics.
    """
    images = [topic for topic in recording.topics if topic.type in IMAGE_TYPES]
    if not images:
        others = ", ".join(f"{topic.name} ({topic.type or 'unknown type'})" for topic in recording.topics)
        raise _refusal(recording, f"has no image topic; its topics: {others or 'none'}")
    listed = ", ".join(topic.name if topic.count else f"{topic.name} (without an image)" for topic in images)
    filled = [topic for topic in images if topic.count]
    if name is not None:
        found = [topic for topic in images if topic.name.lstrip("/") == name.lstrip("/")]
        if not found:
            raise _refusal(recording, f"has no image topic {name}; image topics: {listed}")
    elif len(filled) < 2:
        found = filled
    else:
        found = [topic for ending in _CAMERA_TOPICS for topic in filled if topic.name.endswith(f"/{ending}")]
        if not found or len({topic.name.removesuffix("/compressed") for topic in found}) > 1:
            raise _refusal(recording, f"has several image topics, name one with {option}: {listed}")
    if not found or not found[0].count:
        raise _refusal(recording, f"there is no image on {name or 'any topic'}; image topics: {listed}")
    return found[0]


def _refusal(recording: Recording, reason: str) -> RecordingError:
    """Returns an error with the damage of the recording, which may be its cause."""
    damage = "; ".join(recording.problems)
    return RecordingError(f"{recording.path}: {reason}{damage and f' ({damage})'}")


def has_camera_name(topic: str) -> bool:
    """Returns whether an image topic has a usual name of cameras, not e.g. that of an overlay."""
    return topic.endswith(tuple(f"/{ending}" for ending in _CAMERA_TOPICS))


def namespace_of(topic: str) -> str:
    """Returns the namespace of an image topic with a trailing slash, e.g. `/front/` of `/front/image_raw`."""
    return topic.removesuffix("/compressed").rpartition("/")[0] + "/"


def camera_info_topic(recording: Recording, images: Topic) -> str | None:
    """Returns the camera_info topic in the namespace of the images, or None if there is none."""
    wanted = (f"{namespace_of(images.name)}camera_info", CAMERA_INFO)
    return next((topic.name for topic in recording.topics if (topic.name, topic.type) == wanted), None)


def read_bag_images(recording: Recording, topic: Topic) -> Iterator[BagImage]:
    """Yields every message of an image topic in the order of recording, including damaged ones."""
    last_ns = None
    for number, entry in enumerate(recording.messages([topic.name])):
        message, problem = None, None
        try:
            message = deserialize(entry.raw, topic.type)
            last_ns = stamp_ns(message)
        except ImageError as e:
            problem = str(e)
            if number == 0:
                last_ns = _first_stamp_ns(recording, topic)
        stamp = min(entry.received_ns, MAX_INTEGER) if last_ns is None else last_ns
        yield BagImage(number, stamp, entry.received_ns, topic.type, entry.raw, message, problem)


def _first_stamp_ns(recording: Recording, topic: Topic) -> int | None:
    """Returns the stamp of the first image that is not damaged, or None; times of reception may be of another clock."""
    for entry in recording.messages([topic.name]):
        with suppress(ImageError):
            return stamp_ns(deserialize(entry.raw, topic.type))
    return None


def deserialize(raw: bytes, message_type: str) -> Any:
    """Returns an image message of a standard type.

    Raises:
        ImageError: its bytes are damaged.
    """
    try:
        return typestore().deserialize_cdr(raw, message_type)
    except DAMAGED as e:
        raise ImageError(f"the message's {len(raw)} bytes are damaged ({one_line(e)})") from e


def stamp_ns(message: Any) -> int:
    """Returns the stamp of the header of a message in nanoseconds."""
    return int(message.header.stamp.sec) * NS + int(message.header.stamp.nanosec)
