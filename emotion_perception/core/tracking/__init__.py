# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks of faces over time, and when and where the detector runs."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.tracking.assignment import best_pairs
    from emotion_perception.core.tracking.face_tracking_pipeline import FaceTrackingPipeline
    from emotion_perception.core.tracking.options import TrackerOptions
    from emotion_perception.core.tracking.tracker import Tracker
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "assignment": ("best_pairs",),
            "face_tracking_pipeline": ("FaceTrackingPipeline",),
            "options": ("TrackerOptions",),
            "tracker": ("Tracker",),
        },
    )

__all__ = [
    "FaceTrackingPipeline",
    "Tracker",
    "TrackerOptions",
    "best_pairs",
]
