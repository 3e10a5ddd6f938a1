# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads image files of any format that OpenCV decodes, each whole or not at all."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import ImageError
from emotion_perception.core.images import read_image_size
from emotion_perception.core.regular_files import MAX_IMAGE_BYTES, opencv_name, read_regular

HEAD_BYTES = 1 << 16  # in which an animated PNG declares itself
_UNREADABLE = "OpenCV cannot read it"
_JPEG, _PNG, _GIF, _RIFF, _TIFF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", (b"II*\0", b"MM\0*")


def read_image_file(path: Path) -> NDArray[np.uint8]:
    """Returns the image of a file as uint8 (H, W, 3) BGR, in its EXIF orientation; of several images the first.

    Raises:
        FileNotFoundError: there is no such file.
        ImageError: it is larger than the limits, truncated, damaged or no image; the message is the reason.
    """
    try:
        data = read_regular(path, MAX_IMAGE_BYTES)
    except FileNotFoundError:
        raise
    except OSError as e:
        raise ImageError(e.strerror or str(e)) from e
    if data.startswith((_JPEG, _PNG)):
        read_image_size(data)  # OpenCV decodes half a JPEG without an error
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as e:
        too_large = "CV_IO_MAX_IMAGE" in str(e)  # `core` sets that limit
        raise ImageError("has more pixels than OpenCV's limit" if too_large else _UNREADABLE) from e
    if image is None:
        raise ImageError(_UNREADABLE)
    return np.asarray(image, np.uint8)


def is_animation_of_ffmpeg(head: bytes, path: Path) -> bool:
    """Returns whether a file is an animation that FFmpeg plays: an animated GIF or PNG.

    Args:
        head: its first `HEAD_BYTES`.
        path: the file.
    """
    return (head.startswith(_PNG) and b"acTL" in head) or (head.startswith(_GIF) and image_count(path, head) > 1)


def image_count(path: Path, head: bytes) -> int:
    """Returns the number of images in a file, 1 if OpenCV does not count them.

    Args:
        path: the file.
        head: its first bytes; only files that can have several images are read.
    """
    several = (_GIF, _RIFF, _PNG, *_TIFF)
    if not head.startswith(several) or (head.startswith(_PNG) and b"acTL" not in head) or not hasattr(cv2, "imcount"):
        return 1
    try:
        return max(1, int(cv2.imcount(opencv_name(path))))
    except cv2.error:
        return 1
