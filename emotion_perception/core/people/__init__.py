# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where tracked faces are in the camera's frame, where their heads point, and whether they face the camera."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.people.camera_model import CameraModel
    from emotion_perception.core.people.depth_image import DepthImage, DepthImages
    from emotion_perception.core.people.options import PeopleOptions
    from emotion_perception.core.people.people_estimator import PeopleEstimator
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "camera_model": ("CameraModel",),
            "depth_image": ("DepthImage", "DepthImages"),
            "options": ("PeopleOptions",),
            "people_estimator": ("PeopleEstimator",),
        },
    )

__all__ = [
    "CameraModel",
    "DepthImage",
    "DepthImages",
    "PeopleEstimator",
    "PeopleOptions",
]
