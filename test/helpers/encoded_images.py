# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fields of image messages of every encoding, made of BGR images; without ROS."""

from types import SimpleNamespace

import cv2
import numpy as np

BT601 = np.array(  # rows Y, U, V; columns B, G, R: video range, as cameras send it
    [[25.064, 129.057, 65.738], [112.439, -74.494, -37.945], [-18.285, -94.154, 112.439]]
)
PATTERNS = {"rggb": ("RG", "GB"), "bggr": ("BG", "GR"), "gbrg": ("GB", "RG"), "grbg": ("GR", "BG")}
GRAY = ("mono8", "8UC1", "mono16", "16UC1")


def gradient(width=8, height=6):
    """Returns a smooth BGR image; smooth, because Bayer and most YUV encodings have less color than pixels."""
    y, x = np.mgrid[:height, :width]
    x, y = x / width, y / height
    return np.stack((100 + 32 * x, 120 + 30 * y, 90 + 20 * (x + y)), axis=2).astype(np.uint8)


def to_gray(bgr):
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)


def as_bgr(bgr, encoding):
    """Returns what an encoding leaves of an image."""
    return cv2.cvtColor(to_gray(bgr), cv2.COLOR_GRAY2BGR) if encoding in GRAY else bgr


def tolerance(encoding):
    """Returns how far a value of a gradient may be off, where pixels have not all colors, or those of YUV."""
    return 8 if encoding.startswith(("bayer", "uyvy", "yuv", "yuyv", "nv")) else 0


def _yuv(bgr):
    return np.round(bgr @ BT601.T / 256 + (16, 128, 128)).astype(np.uint8)


def _packed_yuv(bgr, order):
    """Packs two pixels into four bytes, of which `order` names the channels, e.g. YUYV."""
    yuv, packed = _yuv(bgr), np.empty((*bgr.shape[:2], 2), np.uint8)
    for place, channel in enumerate(order):
        first = 0 if channel != "Y" else place // 2  # the colors of every second pixel are lost
        packed[:, place // 2 :: 2, place % 2] = yuv[:, first::2, "YUV".index(channel)]
    return packed


def _planar_yuv(bgr, order, step):
    yuv = _yuv(bgr)
    chroma = yuv[::step, ::step, ["YUV".index(channel) for channel in order]]
    return yuv[:, :, 0], chroma.reshape(len(chroma), -1)


def _bayer(bgr, rows):
    mosaic = np.empty(bgr.shape[:2], np.uint8)
    for y, row in enumerate(rows):
        for x, channel in enumerate(row):
            mosaic[y::2, x::2] = bgr[y::2, x::2, "BGR".index(channel)]
    return mosaic


_EIGHT_BITS = {
    "mono8": to_gray,
    "bgr8": lambda bgr: bgr,
    "rgb8": lambda bgr: bgr[:, :, ::-1],
    "bgra8": lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA),
    "rgba8": lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2RGBA),
    **{f"bayer_{name}8": lambda bgr, rows=rows: _bayer(bgr, rows) for name, rows in PATTERNS.items()},
}
ENCODERS = {  # of a BGR image the pixels, or those of two planes
    **_EIGHT_BITS,
    **{
        f"{name.removesuffix('8')}16": lambda bgr, encode=encode: encode(bgr).astype(np.uint16) * 257
        for name, encode in _EIGHT_BITS.items()
    },
    "uyvy": lambda bgr: _packed_yuv(bgr, "UYVY"),
    "yuv422": lambda bgr: _packed_yuv(bgr, "UYVY"),
    "yuyv": lambda bgr: _packed_yuv(bgr, "YUYV"),
    "yuv422_yuy2": lambda bgr: _packed_yuv(bgr, "YUYV"),
    "nv12": lambda bgr: _planar_yuv(bgr, "UV", 2),
    "nv21": lambda bgr: _planar_yuv(bgr, "VU", 2),
    "nv24": lambda bgr: _planar_yuv(bgr, "UV", 1),
}
for _alias, _name in (("C1", "mono"), ("C3", "bgr"), ("C4", "bgra")):
    ENCODERS[f"8U{_alias}"] = ENCODERS[f"{_name}8"]
    ENCODERS[f"16U{_alias}"] = ENCODERS[f"{_name}16"]


def fields(pixels, encoding, *, padding=0, big_endian=False):
    """Returns the fields of a sensor_msgs/Image, without a header; its data is bytes.

    Args:
        pixels: array (H, W[, C]), or two planes, each (rows, bytes of a row).
        encoding: of the message.
        padding: bytes of 77 behind each row; of nv24 twice as many in the second plane.
        big_endian: byte order of values that have several.
    """
    planes = pixels if isinstance(pixels, tuple) else (pixels,)
    height, width = planes[0].shape[:2]
    data, step = b"", 0
    for plane in planes:
        plane = np.ascontiguousarray(plane.astype(plane.dtype.newbyteorder(">" if big_endian else "<")))
        rows = plane.reshape(len(plane), -1).view(np.uint8)
        wide = padding * 2 if encoding == "nv24" and step else padding
        rows = np.pad(rows, ((0, 0), (0, wide)), constant_values=77)
        data, step = data + rows.tobytes(), step or rows.shape[1]
    return SimpleNamespace(
        height=height, width=width, encoding=encoding, is_bigendian=int(big_endian), step=step, data=data
    )
