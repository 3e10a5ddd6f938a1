# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Face detectors behind one interface, and the filter that rejects false detections."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.detection.base import Candidates, FaceDetector, with_longer_side
    from emotion_perception.core.detection.factory import add_margin, create_detector, passing_faces, select_faces
    from emotion_perception.core.detection.non_face_filter import NonFaceFilter
    from emotion_perception.core.detection.options import DETECTORS, DetectorOptions
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "base": ("Candidates", "FaceDetector", "with_longer_side"),
            "factory": ("add_margin", "create_detector", "passing_faces", "select_faces"),
            "non_face_filter": ("NonFaceFilter",),
            "options": ("DETECTORS", "DetectorOptions"),
        },
    )

__all__ = [
    "DETECTORS",
    "Candidates",
    "DetectorOptions",
    "FaceDetector",
    "NonFaceFilter",
    "add_margin",
    "create_detector",
    "passing_faces",
    "select_faces",
    "with_longer_side",
]
