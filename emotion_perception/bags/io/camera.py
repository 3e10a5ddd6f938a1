# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The calibration of the camera that took the images of a recording."""

from typing import NamedTuple

from emotion_perception.bags.io.images import camera_info_topic
from emotion_perception.bags.io.messages import CAMERA_INFO, DAMAGED, typestore
from emotion_perception.bags.io.recorded_topic import Topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import one_line
from emotion_perception.core.people import CameraModel
from emotion_perception.core.people.camera_model import is_rectified


class RecordedCamera(NamedTuple):
    """The camera that took the images of a recording.

    Attributes:
        topic: its camera_info, empty if there is none.
        model: None if it is not calibrated, or its calibration cannot be used.
        problem: why the calibration cannot be used, one line; else empty.
    """

    topic: str = ""
    model: CameraModel | None = None
    problem: str = ""


def recorded_camera(recording: Recording, images: Topic) -> RecordedCamera:
    """Returns the camera of an image topic by the first camera_info beside it."""
    topic = camera_info_topic(recording, images)
    entry = None if topic is None else next(recording.messages([topic]), None)
    if topic is None or entry is None:
        return RecordedCamera()
    try:
        info = typestore().deserialize_cdr(entry.raw, CAMERA_INFO)
    except DAMAGED:
        return RecordedCamera(topic, problem=f"{topic}: bytes are damaged; positions are unknown")
    try:
        return RecordedCamera(topic, CameraModel.from_info(info, rectified=is_rectified(images.name)))
    except ValueError as e:
        return RecordedCamera(topic, problem=f"{topic}: {one_line(e)}; positions are unknown")
