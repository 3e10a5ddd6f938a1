# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Converts image messages to and from OpenCV arrays; `core.images` interprets the fields."""

import array

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from emotion_perception.core.images import JPEG_FORMAT, bgr_to_jpeg, compressed_to_bgr, raw_to_bgr
from emotion_perception.ros.intra_process import SharedImage

NO_PIXELS = SharedImage(Header(), np.empty((0, 0, 3), np.uint8))
"""Stands for an image whose pixels are no longer needed."""


def image_to_bgr(message: Image | CompressedImage | SharedImage) -> NDArray[np.uint8]:
    """Returns a message's image as uint8 (H, W, 3) BGR; rows may be padded, either endianness.

    Raises:
        ImageError: as of `raw_to_bgr` and `compressed_to_bgr`.
    """
    if isinstance(message, SharedImage):
        return message.image_bgr
    if isinstance(message, CompressedImage):
        return compressed_to_bgr(message.data, message.format)
    return raw_to_bgr(message)


def size_of_image(message: Image | CompressedImage | SharedImage) -> int:
    """Returns the size of a message's data in bytes."""
    return message.image_bgr.nbytes if isinstance(message, SharedImage) else len(message.data)


def bgr_to_image(image_bgr: NDArray[np.uint8], header: Header) -> Image:
    """Returns a `bgr8` message of uint8 (H, W, 3) BGR."""
    height, width = image_bgr.shape[:2]
    # rclpy takes an array('B') as it is (0.2 ms at VGA) and checks a numpy array element by element (160 ms)
    data = array.array("B", np.ascontiguousarray(image_bgr).tobytes())
    return Image(header=header, height=height, width=width, encoding="bgr8", is_bigendian=0, step=3 * width, data=data)


def bgr_to_compressed(image_bgr: NDArray[np.uint8], header: Header, quality: int) -> CompressedImage:
    """Returns a JPEG message of uint8 (H, W, 3) BGR; quality 1..100."""
    data = array.array("B", bgr_to_jpeg(image_bgr, quality))
    return CompressedImage(header=header, format=JPEG_FORMAT, data=data)
