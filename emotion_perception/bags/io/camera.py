# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The calibration of the camera that took the images of a recording."""

from emotion_perception.bags.io.images import camera_info_topic
from emotion_perception.bags.io.messages import CAMERA_INFO, DAMAGED, typestore
from emotion_perception.bags.io.recorded_topic import Topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.people import CameraModel
from emotion_perception.core.people.camera_model import is_rectified


def recorded_camera(recording: Recording, images: Topic) -> CameraModel | None:
    """Returns the camera of an image topic by the first camera_info beside it, None if that is missing or unusable."""
    topic = camera_info_topic(recording, images)
    entry = None if topic is None else next(recording.messages([topic]), None)
    if entry is None:
        return None
    try:
        info = typestore().deserialize_cdr(entry.raw, CAMERA_INFO)
        return CameraModel.from_info(info, rectified=is_rectified(images.name))
    except DAMAGED:
        return None
