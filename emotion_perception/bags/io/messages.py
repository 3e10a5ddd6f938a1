# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The message types of recordings, this package's own included, without a ROS installation."""

import functools
from pathlib import Path
from typing import Literal

from rosbags.interfaces.typing import Typesdict
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
IMAGE_TYPES = (IMAGE, COMPRESSED)
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
FACES, EMOTIONS = "emotion_perception/msg/FaceArray", "emotion_perception/msg/EmotionArray"
OWN = ("Face", "FaceArray", "FaceEmotion", "EmotionArray")
# Of metadata.yaml. Humble to Kilted read 8; from 9 on the QoS profiles are no text any more, which Humble refuses.
BAG_VERSION: Literal[8] = 8
NS = 1_000_000_000  # nanoseconds in a second


@functools.cache
def typestore() -> Typestore:
    """Returns the types of ROS 2 Jazzy and this package's. What is used of them is the same in every distribution."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types: Typesdict = {}
    for name in OWN:
        types |= get_types_from_msg((_folder() / f"{name}.msg").read_text("utf-8"), f"emotion_perception/msg/{name}")
    store.register(types)
    return store


def _folder() -> Path:
    """Returns where the message texts are: beside this file where the package is installed, else in the sources."""
    beside = Path(__file__).parents[1] / "msg"
    return beside if beside.is_dir() else Path(__file__).parents[3] / "msg"
