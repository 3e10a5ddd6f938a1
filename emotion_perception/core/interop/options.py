# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options of the messages of other packages."""

from dataclasses import dataclass

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.options import Options, option
from emotion_perception.core.rendering import ANONYMIZERS


@dataclass(frozen=True, kw_only=True)
class InteropOptions(Options):
    """Which messages of other packages are published beside the package's own."""

    publish_hri: bool = option(
        False, "publish each face as ROS4HRI (REP-155) does, under /humans/faces; needs the package hri_msgs"
    )
    publish_hri_cropped: bool = option(
        False, "publish the image of each face, too, on /humans/faces/ID/cropped; only with publish_hri"
    )
    publish_vision_msgs: bool = option(
        False, "publish face_detections_2d and face_detections_3d; needs the package vision_msgs"
    )
    publish_tf: bool = option(
        False,
        "publish the TF frames face_ID and gaze_ID of each face whose position is known; needs the package tf2_msgs",
    )
    anonymize: str = option(
        "none", "makes the faces of /humans/faces/ID/cropped unrecognizable", choices=ANONYMIZERS, live=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.publish_hri_cropped and not self.publish_hri:
            raise ConfigurationError("publish_hri_cropped is true, but publish_hri is not")
