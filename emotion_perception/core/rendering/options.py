# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options of the overlay."""

from dataclasses import dataclass

from emotion_perception.core.options import Options, option

ANONYMIZERS = ("none", "blur", "pixelate", "fill")


@dataclass(frozen=True, kw_only=True)
class OverlayOptions(Options):
    """What is drawn onto an image, and how its faces are anonymized."""

    draw_bars: bool = option(True, "draw a bar for each emotion beside the face", live=True)
    draw_landmarks: bool = option(False, "draw the five landmarks", live=True)
    draw_head_pose: bool = option(
        False, "draw the axes of the head: where it points in blue, its left in red, its chin in green", live=True
    )
    draw_status: bool = option(
        True, "draw a line with frame rate, age of the image and dropped images in a free corner", live=True
    )
    anonymize: str = option(
        "none",
        "makes faces in image_overlay unrecognizable; an image whose faces are not all known is hidden as a whole",
        choices=ANONYMIZERS,
        live=True,
    )
