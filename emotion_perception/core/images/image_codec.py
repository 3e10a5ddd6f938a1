# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversion of image messages, of ROS or of a reader of recordings, to BGR arrays.

This is the only place where an image's buffer is interpreted. Raw pixels are converted to BGR by a function that the
caller passes (cv_bridge, rosbags-image); compressed images are decoded by OpenCV.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import ImageError, one_line
from emotion_perception.core.images.image_header import MAX_PIXELS, read_image_size

_BYTES_PER_PIXEL = {
    **dict.fromkeys(("mono8",), 1),
    **dict.fromkeys(("mono16", "yuv422_yuy2", "yuyv", "yuv422", "uyvy"), 2),
    **dict.fromkeys(("bgr8", "rgb8"), 3),
    **dict.fromkeys(("bgra8", "rgba8"), 4),
}
_ALIASES = {"8UC1": "mono8", "16UC1": "mono16", "8UC3": "bgr8", "8UC4": "bgra8"}
ENCODINGS = (*_BYTES_PER_PIXEL, *_ALIASES)
MAX_COMPRESSED_BYTES = 64 * 2**20
JPEG_FORMAT = "bgr8; jpeg compressed bgr8"  # as image_transport's plugin writes it
_SHOWN = 40  # characters of a string of somebody else in a message
_LONGEST_JPEG_SIDE = 65_500
# like the raw image: the orientation in the file's EXIF data is ignored
_AS_STORED = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


@dataclass(frozen=True)
class RawImage:
    """The fields of a sensor_msgs/Image whose encoding is known and whose rows are not padded.

    Attributes:
        height: rows.
        width: pixels per row.
        encoding: one of `ENCODINGS`, no alias.
        is_bigendian: whether the first byte of a 16-bit pixel is the higher one.
        step: bytes per row.
        data: at least height * step bytes: bytes, array.array or uint8 array.
    """

    height: int
    width: int
    encoding: str
    is_bigendian: bool
    step: int
    data: Any


def raw_to_bgr(message: Any, convert: Callable[[RawImage], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Returns an image as uint8 (H, W, 3) BGR; rows may be padded, either endianness.

    Args:
        message: has the fields of sensor_msgs/Image.
        convert: converts an image without row padding to BGR.

    Raises:
        ImageError: the encoding is not one of `ENCODINGS`, the image is empty or larger than `image_header.MAX_PIXELS`,
            or its data is too short for its size.
    """
    image = _without_padding(message)
    try:
        return np.ascontiguousarray(convert(image))
    except (cv2.error, ValueError, TypeError) as e:
        raise ImageError(f"{message.width}x{message.height} {message.encoding} cannot be converted: {e}") from e


def compressed_to_bgr(data: Any) -> NDArray[np.uint8]:
    """Returns a JPEG or PNG image as uint8 (H, W, 3) BGR.

    Args:
        data: the `data` of a sensor_msgs/CompressedImage: bytes, array.array or uint8 array.

    Raises:
        ImageError: it is not JPEG or PNG, is damaged, has more than `MAX_COMPRESSED_BYTES`, or is beyond the limits of
            `read_image_size`.
    """
    if len(data) > MAX_COMPRESSED_BYTES:
        raise ImageError(f"{len(data)} bytes of compressed data are more than {MAX_COMPRESSED_BYTES}")
    data = bytes(data)
    width, height = read_image_size(data)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_STORED)
    except cv2.error as e:
        raise ImageError(f"a compressed {width}x{height} image cannot be decoded: {one_line(e)}") from e
    if image is None:
        raise ImageError(f"{len(data)} bytes of a compressed {width}x{height} image are damaged")
    return np.asarray(image, np.uint8)


def bgr_to_jpeg(image_bgr: NDArray[np.uint8], quality: int) -> bytes:
    """Returns uint8 (H, W, 3) BGR as a JPEG file; quality 1..100.

    Raises:
        ImageError: a side is longer than JPEG allows, 65,500 pixels.
    """
    height, width = image_bgr.shape[:2]
    refusal = ImageError(f"{width}x{height} pixels are too many for JPEG")
    if max(height, width) > _LONGEST_JPEG_SIDE:  # OpenCV would also write lines of its own to stderr, for each image
        raise refusal
    succeeded, jpeg = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not succeeded:
        raise refusal
    return jpeg.tobytes()


def _without_padding(message: Any) -> RawImage:
    """Returns the message's fields with a known encoding and without padding, checked against its data."""
    encoding = _ALIASES.get(message.encoding, message.encoding)
    if encoding not in _BYTES_PER_PIXEL:
        raise ImageError(f"encoding '{message.encoding[:_SHOWN]}' is none of {', '.join(ENCODINGS)}")
    height, width, row = message.height, message.width, message.width * _BYTES_PER_PIXEL[encoding]
    step = message.step or row
    if not height or not width:
        raise ImageError(f"an image of {width}x{height} has no pixels")
    if width * height > MAX_PIXELS:
        raise ImageError(f"an image of {width}x{height} has more than {MAX_PIXELS // 1_000_000} megapixels")
    if step < row:
        raise ImageError(f"step {step} is shorter than a row of {width} {message.encoding} pixels ({row} bytes)")
    if len(message.data) < height * step:
        raise ImageError(f"{len(message.data)} bytes of data are shorter than height {height} * step {step}")
    data = message.data
    if step != row:
        data = np.frombuffer(data, np.uint8, count=height * step).reshape(height, step)[:, :row].tobytes()
    return RawImage(height, width, encoding, bool(message.is_bigendian), row, data)
