# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image buffers, headers of compressed images, and the geometry of boxes."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.images.geometry import check_region, clip_box, iou, iou_matrix, largest, square_crop
    from emotion_perception.core.images.image_codec import (
        JPEG_FORMAT,
        bgr_to_jpeg,
        compressed_to_bgr,
        depth_of,
        raw_to_bgr,
    )
    from emotion_perception.core.images.image_header import read_image_size
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "geometry": ("check_region", "clip_box", "iou", "iou_matrix", "largest", "square_crop"),
            "image_codec": ("JPEG_FORMAT", "bgr_to_jpeg", "compressed_to_bgr", "depth_of", "raw_to_bgr"),
            "image_header": ("read_image_size",),
        },
    )

__all__ = [
    "JPEG_FORMAT",
    "bgr_to_jpeg",
    "check_region",
    "clip_box",
    "compressed_to_bgr",
    "depth_of",
    "iou",
    "iou_matrix",
    "largest",
    "raw_to_bgr",
    "read_image_size",
    "square_crop",
]
