# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Message types of recordings, this package's own included, without a ROS installation."""

import functools
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from rosbags.interfaces.typing import Typesdict
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, TypesysError, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from emotion_perception.bags.io.recorded_topic import Topic
from emotion_perception.core.errors import RecordingError, one_line
from emotion_perception.core.message_adapters import MAX_RESULT_BYTES

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
IMAGE_TYPES = (IMAGE, COMPRESSED)
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
FACES, EMOTIONS = "emotion_perception/msg/FaceArray", "emotion_perception/msg/EmotionArray"
FIRST_TYPES = Path(__file__).with_name("first_types.msg")
"""Definition of `EMOTIONS` before `Face.id` became `track_id`, as recordings of that time carry it."""
IMAGE_ANNOTATIONS = "foxglove_msgs/msg/ImageAnnotations"
_ANNOTATION_TYPES = Path(__file__).with_name("image_annotations.msg")
"""Definition of `IMAGE_ANNOTATIONS` as foxglove_msgs 2.2 to 3.4.3 have it."""
OWN = ("Face", "FaceArray", "FaceEmotion", "EmotionArray")
# Version of metadata.yaml. Humble to Kilted read 8; from 9 on the QoS profiles are no text, which Humble refuses.
BAG_VERSION: Literal[8] = 8
NS = 1_000_000_000  # nanoseconds in a second
DAMAGED = (SerdeError, ValueError, IndexError, KeyError, struct.error, AssertionError, OverflowError, MemoryError)
"""What rosbags raises where the bytes of a message are damaged."""
MAX_DEFINITION_BYTES = 1 << 16
"""Longest message definition of a recording that is parsed; that of `EMOTIONS` has about 10,000."""
# What rosbags raises for a definition, of which it makes a Python class: e.g. for a name that is none, or for 1e999
_UNUSABLE = (TypesysError, SyntaxError, NameError, RecursionError, *DAMAGED)


@functools.cache
def typestore() -> Typestore:
    """Returns the types of ROS 2 Jazzy and the present types of this package.

    The standard types that this package uses are the same in every distribution.
    """
    store = get_typestore(Stores.ROS2_JAZZY)
    types: Typesdict = {}
    for name in OWN:
        types |= get_types_from_msg((_folder() / f"{name}.msg").read_text("utf-8"), f"emotion_perception/msg/{name}")
    store.register(types)
    return store


@functools.cache
def annotation_typestore() -> Typestore:
    """Returns the types of `IMAGE_ANNOTATIONS`, for recordings that are written without a ROS.

    They are not in `typestore`, because `bag_recorder` takes the definition that is installed, of whatever version.
    """
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(_ANNOTATION_TYPES.read_text("utf-8"), IMAGE_ANNOTATIONS))
    return store


def recorded_typestore(topic: Topic, messages: Iterable[bytes]) -> Typestore:
    """Returns the types with which the `EmotionArray` messages of a recording were written.

    The message definition in the recording decides. Humble records none into sqlite3: then the present types and the
    first ones are tried, and those are returned that read more of the messages.

    Args:
        topic: a topic of `EMOTIONS`.
        messages: its messages in CDR; they are read only if the recording has no definition.

    Raises:
        RecordingError: the definition cannot be parsed, or is longer than `MAX_DEFINITION_BYTES`.
    """
    if topic.definition:
        if len(topic.definition) > MAX_DEFINITION_BYTES:
            raise RecordingError(f"the message definition of {topic.name} is longer than {MAX_DEFINITION_BYTES} bytes")
        try:
            return _store_of(topic.definition)
        except _UNUSABLE as e:
            raise RecordingError(f"the message definition of {topic.name} cannot be parsed ({one_line(e)})") from e
    stores = (typestore(), _store_of(FIRST_TYPES.read_text("utf-8")))
    readable = [0, 0]
    for raw in messages:
        for k, store in enumerate(stores):
            readable[k] += _can_read(store, raw)
    return stores[readable.index(max(readable))]


def _store_of(definition: str) -> Typestore:
    """Returns the types of a message definition of `EMOTIONS`, which has those of its fields at its end."""
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(definition, EMOTIONS))
    store.get_msgdef(EMOTIONS)  # fails here for types that are not defined or contain themselves
    return store


def _can_read(store: Typestore, raw: bytes) -> bool:
    if len(raw) > MAX_RESULT_BYTES:
        return False
    try:
        store.deserialize_cdr(raw, EMOTIONS)
    except DAMAGED:
        return False
    return True


def _folder() -> Path:
    """Returns the folder of the message definitions: in the installed package, else in the sources."""
    installed = Path(__file__).parents[1] / "msg"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "msg"
