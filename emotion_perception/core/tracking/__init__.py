# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks of faces over time, and what moves faces between two detections."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.tracking.face_tracking_pipeline import FaceTrackingPipeline
    from emotion_perception.core.tracking.optical_flow_tracker import OpticalFlowTracker
    from emotion_perception.core.tracking.options import TrackerOptions
    from emotion_perception.core.tracking.tracker import Tracker, best_pairs
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "face_tracking_pipeline": ("FaceTrackingPipeline",),
            "optical_flow_tracker": ("OpticalFlowTracker",),
            "options": ("TrackerOptions",),
            "tracker": ("Tracker", "best_pairs"),
        },
    )

__all__ = [
    "FaceTrackingPipeline",
    "OpticalFlowTracker",
    "Tracker",
    "TrackerOptions",
    "best_pairs",
]
