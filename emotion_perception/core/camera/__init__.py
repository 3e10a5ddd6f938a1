# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Camera sources, the thread that reads them, and their frame rate."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.camera.calibration import Calibration, read_calibration, write_calibration
    from emotion_perception.core.camera.capture_loop import CaptureLoop
    from emotion_perception.core.camera.factory import check_source, open_source, source_path
    from emotion_perception.core.camera.identity import source_identity, without_password
    from emotion_perception.core.camera.monotonic_stamps import MonotonicStamps
    from emotion_perception.core.camera.options import CameraOptions
    from emotion_perception.core.camera.rate_meter import RateMeter
    from emotion_perception.core.camera.source import FrameSource
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "calibration": ("Calibration", "read_calibration", "write_calibration"),
            "capture_loop": ("CaptureLoop",),
            "factory": ("check_source", "open_source", "source_path"),
            "identity": ("source_identity", "without_password"),
            "monotonic_stamps": ("MonotonicStamps",),
            "options": ("CameraOptions",),
            "rate_meter": ("RateMeter",),
            "source": ("FrameSource",),
        },
    )

__all__ = [
    "Calibration",
    "CameraOptions",
    "CaptureLoop",
    "FrameSource",
    "MonotonicStamps",
    "RateMeter",
    "check_source",
    "open_source",
    "read_calibration",
    "source_identity",
    "source_path",
    "without_password",
    "write_calibration",
]
