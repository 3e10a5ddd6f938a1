# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options of a camera source; names as of usb_cam."""

from dataclasses import dataclass

from emotion_perception.core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class CameraOptions(Options):
    """Where images come from, and in which size and rate."""

    video_device: str = option(
        "0", "index or path of a V4L2 device, a video file, a folder of images, a stream's URL, or 'synthetic'"
    )
    image_width: int = option(
        640,
        "width requested from the device; other sources are scaled to it; 0 keeps the source's",
        minimum=0,
        maximum=7680,
    )
    image_height: int = option(
        480,
        "height requested from the device; other sources are scaled to fit; 0 keeps the source's",
        minimum=0,
        maximum=4320,
    )
    framerate: float = option(30.0, "frames per second; 0 takes the source's own rate", minimum=0.0, maximum=1000.0)
    pixel_format: str = option(
        "", "four-character code requested from the device, e.g. MJPG; empty keeps the driver's choice"
    )
    loop: bool = option(True, "restart a video file or folder at its end")
