# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Results in the messages and conventions of other packages: ROS4HRI (REP-155), vision_msgs, TF."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.interop.cropped_face import crop_face
    from emotion_perception.core.interop.detections import DetectionBuilder
    from emotion_perception.core.interop.face_frames import FaceTransformBuilder, face_rotation
    from emotion_perception.core.interop.face_ids import MAX_FACES, FaceIdChanges, FaceIds
    from emotion_perception.core.interop.hri import HriMessageBuilder
    from emotion_perception.core.interop.options import InteropOptions
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "cropped_face": ("crop_face",),
            "detections": ("DetectionBuilder",),
            "face_frames": ("FaceTransformBuilder", "face_rotation"),
            "face_ids": ("MAX_FACES", "FaceIdChanges", "FaceIds"),
            "hri": ("HriMessageBuilder",),
            "options": ("InteropOptions",),
        },
    )

__all__ = [
    "MAX_FACES",
    "DetectionBuilder",
    "FaceIdChanges",
    "FaceIds",
    "FaceTransformBuilder",
    "HriMessageBuilder",
    "InteropOptions",
    "crop_face",
    "face_rotation",
]
