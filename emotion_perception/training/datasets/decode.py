# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decodes an image file to an array of the requested size and color."""

import errno
import io
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from emotion_perception.core.errors import ConfigurationError, ImageError
from emotion_perception.core.regular_files import MAX_IMAGE_BYTES, MIB, open_regular
from emotion_perception.training.datasets.images import LARGEST_IMAGE

_UNREADABLE = (
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
)  # exceptions of PIL
_OF_THE_SYSTEM = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}
_LARGEST_SIDE = 4096  # pixels of a scaled image


def size_wh(size: int | Sequence[int]) -> tuple[int, int]:
    """Returns width and height in pixels for the option `size`, which is a side or [width, height].

    Raises:
        ConfigurationError: it is neither.
    """
    sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2 or not all(type(side) is int and 1 <= side <= _LARGEST_SIDE for side in sides):
        raise ConfigurationError(f"size {size!r} is neither a side nor [width, height] within 1..{_LARGEST_SIDE}")
    return sides[0], sides[1]


def read_image(source: Path | bytes, *, wh: tuple[int, int] | None = None, color: bool = False) -> NDArray[np.uint8]:
    """Decodes a still image of any format that Pillow reads, in its EXIF orientation, and scales it.

    A JPEG image that is much larger is decoded at a fraction of its size (libjpeg's scaling).

    Args:
        source: a file or its content.
        wh: width and height in pixels; None keeps the size of the image.
        color: BGR instead of gray.

    Returns:
        uint8 (H, W) or (H, W, 3) BGR.

    Raises:
        ImageError: it is missing, cut short or no image; the message is the reason without the file name.
    """
    try:
        with (
            io.BytesIO(source) if isinstance(source, bytes) else _open(source) as file,
            Image.open(file) as image,
        ):
            if image.width * image.height > LARGEST_IMAGE or image.mode.startswith(("I", "F")):
                raise ImageError("image of more than 8 bits or 80 million pixels")
            if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:  # a phone's JPEG with a preview is MPO
                raise ImageError("file of several images, e.g. an animation")
            if wh is not None:
                image.draft("RGB", (2 * wh[0], 2 * wh[1]))
            rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError("missing image") from None
    except OSError as e:
        if e.errno in _OF_THE_SYSTEM:  # nothing is wrong with the image
            raise
        raise ImageError("corrupt image") from e
    except _UNREADABLE as e:
        raise ImageError("corrupt image") from e
    pixels = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR if color else cv2.COLOR_RGB2GRAY)
    return scaled(np.asarray(pixels, np.uint8), wh)


def _open(path: Path) -> BinaryIO:
    file = open_regular(path)
    if os.fstat(file.fileno()).st_size > MAX_IMAGE_BYTES:  # Pillow reads a file to its end
        file.close()
        raise ImageError(f"image file of more than {MAX_IMAGE_BYTES // MIB} MiB")
    return file


def scaled(pixels: NDArray[np.uint8], wh: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Scales an image with the interpolation of `to_input`; None keeps its size."""
    height, width = pixels.shape[:2]
    if wh is None or (width, height) == wh:
        return pixels
    shrinking = width > wh[0] and height > wh[1]
    return cv2.resize(pixels, wh, interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)  # type: ignore[return-value]
