# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Output for people: overlays, anonymized images, markers and videos."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.rendering.annotations import ImageAnnotationsBuilder
    from emotion_perception.core.rendering.anonymize import FaceAnonymizer, anonymize_faces
    from emotion_perception.core.rendering.markers import FACE_WIDTH_M, FaceMarker, FaceMarkers, MarkerLifetime
    from emotion_perception.core.rendering.options import ANONYMIZERS, OverlayOptions
    from emotion_perception.core.rendering.overlay import MAX_LABELED_FACES, draw_overlay, status_line
    from emotion_perception.core.rendering.palette import (
        EMOTION_COLORS,
        OTHER_COLOR,
        UNCERTAIN_COLOR,
        bgr,
        label_color,
        rgb,
        rgb_fractions,
        text_color,
    )
    from emotion_perception.core.rendering.video import VIDEO_CODECS, VIDEO_SUFFIXES, VideoWriter
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "annotations": ("ImageAnnotationsBuilder",),
            "anonymize": ("FaceAnonymizer", "anonymize_faces"),
            "markers": ("FACE_WIDTH_M", "FaceMarker", "FaceMarkers", "MarkerLifetime"),
            "options": ("ANONYMIZERS", "OverlayOptions"),
            "overlay": ("MAX_LABELED_FACES", "draw_overlay", "status_line"),
            "palette": (
                "EMOTION_COLORS",
                "OTHER_COLOR",
                "UNCERTAIN_COLOR",
                "bgr",
                "label_color",
                "rgb",
                "rgb_fractions",
                "text_color",
            ),
            "video": ("VIDEO_CODECS", "VIDEO_SUFFIXES", "VideoWriter"),
        },
    )

__all__ = [
    "ANONYMIZERS",
    "EMOTION_COLORS",
    "FACE_WIDTH_M",
    "MAX_LABELED_FACES",
    "OTHER_COLOR",
    "UNCERTAIN_COLOR",
    "VIDEO_CODECS",
    "VIDEO_SUFFIXES",
    "FaceAnonymizer",
    "FaceMarker",
    "FaceMarkers",
    "ImageAnnotationsBuilder",
    "MarkerLifetime",
    "OverlayOptions",
    "VideoWriter",
    "anonymize_faces",
    "bgr",
    "draw_overlay",
    "label_color",
    "rgb",
    "rgb_fractions",
    "status_line",
    "text_color",
]
