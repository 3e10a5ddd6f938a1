# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image messages of any encoding, made of BGR images."""

import array

import cv2
import numpy as np
from sensor_msgs.msg import Image

BT601 = np.array(  # rows Y, U, V; columns B, G, R: video range, as cameras send it
    [[25.064, 129.057, 65.738], [112.439, -74.494, -37.945], [-18.285, -94.154, 112.439]]
)


def to_yuy2(bgr):
    """Packs an image, of which the colors of every second column are lost."""
    yuv = np.round(bgr @ BT601.T / 256 + (16, 128, 128)).astype(np.uint8)
    packed = np.empty((*bgr.shape[:2], 2), np.uint8)
    packed[:, :, 0] = yuv[:, :, 0]
    packed[:, 0::2, 1], packed[:, 1::2, 1] = yuv[:, 0::2, 1], yuv[:, 0::2, 2]
    return packed


def to_gray(bgr):
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)


def to_gray16(bgr):
    return to_gray(bgr).astype(np.uint16) * 257


ENCODERS = {
    "bgr8": lambda bgr: bgr,
    "8UC3": lambda bgr: bgr,
    "rgb8": lambda bgr: bgr[:, :, ::-1],
    "bgra8": lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA),
    "rgba8": lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2RGBA),
    "yuv422_yuy2": to_yuy2,
    "mono8": to_gray,
    "8UC1": to_gray,
    "mono16": to_gray16,
    "16UC1": to_gray16,
}


def image_message(pixels, encoding, *, padding=0, big_endian=False):
    """Returns an Image of encoded pixels (H, W[, C]) whose rows have so many bytes of 77 behind them."""
    height, width = pixels.shape[:2]
    pixels = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">" if big_endian else "<")))
    padded = np.pad(pixels.reshape(height, -1).view(np.uint8), ((0, 0), (0, padding)), constant_values=77)
    return Image(
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=int(big_endian),
        step=padded.shape[1],
        data=array.array("B", padded.tobytes()),
    )
