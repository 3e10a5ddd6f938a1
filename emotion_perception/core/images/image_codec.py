# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversion of image messages, of ROS or of a reader of recordings, to BGR arrays and depths.

This is the only place where an image's buffer is interpreted. OpenCV converts the encodings of `ENCODINGS`; others are
left to cv_bridge, where it is installed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import EncodingError, ImageError, one_line
from emotion_perception.core.images.image_header import MAX_PIXELS, read_image_size
from emotion_perception.core.types import Box


@dataclass(frozen=True)
class _Format:
    """How the bytes of an encoding are read.

    Attributes:
        dtype: of one value; 16-bit values become 8-bit ones first.
        channels: values per pixel of the first plane.
        code: conversion of `cv2.cvtColor` to BGR; None where it is BGR, or converted by a function.
        multiple: width and height are multiples of it, as (width, height).
    """

    dtype: type[np.generic]
    channels: int
    code: int | None
    multiple: tuple[int, int] = (1, 1)


# OpenCV names a Bayer pattern by the second row's second and third pixel, ROS by the first row's first two
_BAYER = {
    "rggb": cv2.COLOR_BayerBG2BGR,
    "bggr": cv2.COLOR_BayerRG2BGR,
    "gbrg": cv2.COLOR_BayerGR2BGR,
    "grbg": cv2.COLOR_BayerGB2BGR,
}
_COLORS = {
    "mono": (1, cv2.COLOR_GRAY2BGR),
    "bgr": (3, None),
    "rgb": (3, cv2.COLOR_RGB2BGR),
    "bgra": (4, cv2.COLOR_BGRA2BGR),
    "rgba": (4, cv2.COLOR_RGBA2BGR),
    **{f"bayer_{pattern}": (1, code) for pattern, code in _BAYER.items()},
}
_UYVY = _Format(np.uint8, 2, cv2.COLOR_YUV2BGR_UYVY, multiple=(2, 1))
_YUYV = _Format(np.uint8, 2, cv2.COLOR_YUV2BGR_YUY2, multiple=(2, 1))
_PACKED = {
    **{f"{name}8": _Format(np.uint8, *color) for name, color in _COLORS.items()},
    **{f"{name}16": _Format(np.uint16, *color) for name, color in _COLORS.items()},
    **{"uyvy": _UYVY, "yuv422": _UYVY, "yuyv": _YUYV, "yuv422_yuy2": _YUYV},
}
# a plane of Y, then one of U and V by turns: a row of the second serves two of the first, in nv24 it is twice as long
_PLANAR = {
    "nv12": _Format(np.uint8, 1, cv2.COLOR_YUV2BGR_NV12, multiple=(2, 2)),
    "nv21": _Format(np.uint8, 1, cv2.COLOR_YUV2BGR_NV21, multiple=(2, 2)),
    "nv24": _Format(np.uint8, 1, None),
}
_ALIASES = {
    **{"8UC1": "mono8", "8UC3": "bgr8", "8UC4": "bgra8"},
    **{"16UC1": "mono16", "16UC3": "bgr16", "16UC4": "bgra16"},
}
ENCODINGS = (*_PACKED, *_PLANAR, *_ALIASES)
"""Encodings that become BGR without cv_bridge, as sensor_msgs names them."""
_YUV = [name for name in (*_PACKED, *_PLANAR) if not name.endswith(("8", "16"))]
ENCODINGS_TEXT = ", ".join((*(f"{name}8/16" for name in _COLORS), *_YUV, "8UC1/3/4", "16UC1/3/4"))
"""`ENCODINGS` as a text for people that is short enough for a line of the log."""
DEPTH_ENCODINGS = ("16UC1", "mono16", "32FC1")
"""Encodings of depth images: millimeters, millimeters, meters."""
MAX_COMPRESSED_BYTES = 64 * 2**20
JPEG_FORMAT = "bgr8; jpeg compressed bgr8"  # as image_transport's plugin writes it
_BT601 = np.array(  # B, G, R of Y - 16, U - 128, V - 128: video range, as OpenCV converts the other YUV encodings
    [[1.164383, 2.017232, 0.0], [1.164383, -0.391762, -0.812968], [1.164383, 0.0, 1.596027]]
)
_BGR_OF_YUV = np.column_stack((_BT601, _BT601 @ (-16.0, -128.0, -128.0)))
_SHOWN = 40  # characters of a string of somebody else in a message
_LONGEST_JPEG_SIDE = 65_500
# like the raw image: the orientation in the file's EXIF data is ignored
_AS_STORED = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def raw_to_bgr(message: Any) -> NDArray[np.uint8]:
    """Returns an image as uint8 (H, W, 3) BGR; rows may be padded, either endianness.

    A 16-bit value v becomes v * 255 / 65535, rounded. YUV is BT.601 in video range.

    Args:
        message: has the fields of sensor_msgs/Image; its data is bytes, array.array or a uint8 array.

    Raises:
        EncodingError: the encoding is not one of `ENCODINGS`, and cv_bridge is missing or refuses it.
        ImageError: the image is empty or larger than `image_header.MAX_PIXELS`, its data is too short for its size, or
            its size is odd where the encoding demands an even one.
    """
    encoding = _ALIASES.get(message.encoding, message.encoding)
    layout = _PACKED.get(encoding) or _PLANAR.get(encoding)
    _check_size(message)
    if layout is None:
        return _with_cv_bridge(message)
    _check_multiple(message, layout.multiple)
    try:
        if encoding in _PLANAR:
            return _planar_to_bgr(message, encoding, layout.code)
        pixels = _pixels(message, layout.dtype, layout.channels)
        if layout.dtype is np.uint16:
            pixels = cv2.convertScaleAbs(pixels, alpha=255 / 65535)
        if layout.code is not None:
            pixels = cv2.cvtColor(pixels, layout.code)
        return np.asarray(pixels, np.uint8)
    except cv2.error as e:
        raise ImageError(f"{message.width}x{message.height} {encoding} cannot be converted: {one_line(e)}") from e


def depth_of(message: Any, region: Box | None = None, *, every: int = 1) -> NDArray[np.float32]:
    """Returns a depth image as float32 (H, W) in meters; NaN where there is no depth (0, negative, infinite).

    Args:
        message: has the fields of sensor_msgs/Image; `16UC1` and `mono16` are millimeters, `32FC1` meters, as REP-118
            states. Rows may be padded, either endianness.
        region: the part that is returned, inside the image; None is the whole image.
        every: only every n-th row and column of it.

    Raises:
        EncodingError: the encoding is not one of `DEPTH_ENCODINGS`.
        ImageError: the image is empty or larger than `image_header.MAX_PIXELS`, or its data is too short for its size.
    """
    if message.encoding not in DEPTH_ENCODINGS:
        raise EncodingError(f"depth encoding '{message.encoding[:_SHOWN]}' is none of {', '.join(DEPTH_ENCODINGS)}")
    _check_size(message)
    part = region or Box(0, 0, message.width, message.height)
    if message.encoding == "32FC1":
        depth = _pixels(message, np.float32, 1, part, every)[:, ::every].copy()
    else:
        depth = _pixels(message, np.uint16, 1, part, every)[:, ::every].astype(np.float32) * np.float32(1e-3)
    depth[~((depth > 0) & (depth < np.inf))] = np.nan
    return depth


def compressed_to_bgr(data: Any, image_format: str = "") -> NDArray[np.uint8]:
    """Returns a JPEG or PNG image as uint8 (H, W, 3) BGR.

    A JPEG image that is damaged inside its data is what libjpeg makes of it, which writes a line to stderr: OpenCV does
    not tell.

    Args:
        data: the `data` of a sensor_msgs/CompressedImage: bytes, array.array or uint8 array.
        image_format: its `format`; a Bayer image that is compressed as it is (`bayer_rggb8; png compressed`) is
            converted as a raw one.

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
    if (code := _compressed_bayer(image_format)) is not None:
        image = cv2.cvtColor(image[..., 0], code)
    return np.asarray(image, np.uint8)


def _compressed_bayer(image_format: str) -> int | None:
    """Returns the conversion of a Bayer pattern that was compressed without a conversion to colors, else None."""
    encoding, _, rest = image_format.partition(";")
    compressed_as = rest.partition("compressed")[2].strip() or encoding.rstrip()
    layout = _PACKED.get(compressed_as) if compressed_as.startswith("bayer_") else None
    return None if layout is None else layout.code


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


def _check_size(message: Any) -> None:
    height, width = message.height, message.width
    if not height or not width:
        raise ImageError(f"an image of {width}x{height} has no pixels")
    if width * height > MAX_PIXELS:
        raise ImageError(f"an image of {width}x{height} has more than {MAX_PIXELS // 1_000_000} megapixels")


def _check_multiple(message: Any, multiple: tuple[int, int]) -> None:
    for name, size, factor in zip(("width", "height"), (message.width, message.height), multiple, strict=True):
        if size % factor:
            raise ImageError(f"{message.width}x{message.height} {message.encoding} has an odd {name}")


def _pixels(
    message: Any, dtype: type[np.generic], channels: int, region: Box | None = None, every_row: int = 1
) -> NDArray[Any]:
    """Returns an image of one plane as a contiguous array (H, W[, channels]), a view of the data where it can be.

    Args:
        message: the image.
        dtype: of one value.
        channels: values per pixel.
        region: the part that is read, inside the image; None is the whole image.
        every_row: only every n-th row of it.
    """
    pixel = channels * np.dtype(dtype).itemsize
    row = message.width * pixel
    (rows,) = _planes(message, (message.height, message.step or row, row))
    if region is not None:
        rows = rows[region.y_min : region.y_max : every_row, region.x_min * pixel : region.x_max * pixel]
    stored = np.dtype(dtype).newbyteorder(">" if message.is_bigendian else "<")
    pixels = np.ascontiguousarray(rows).view(stored).reshape(len(rows), -1, *([channels] if channels > 1 else []))
    return np.require(pixels, dtype, ["C", "A"])  # in a recording, data begins at any address


def _planar_to_bgr(message: Any, encoding: str, code: int | None) -> NDArray[np.uint8]:
    height, width = message.height, message.width
    rows, factor = (height, 2) if encoding == "nv24" else (height // 2, 1)  # of the second plane
    # drivers disagree on step; data of exactly the size of the pixels has no padding
    is_packed = not message.step or len(message.data) == width * (height + factor * rows)
    step = width if is_packed else message.step
    planes = _planes(message, (height, step, width), (rows, factor * step, factor * width))
    luma, chroma = map(np.ascontiguousarray, planes)
    if code is not None:
        return np.asarray(cv2.cvtColorTwoPlane(luma, chroma.reshape(rows, width // 2, 2), code), np.uint8)
    yuv = cv2.merge((luma, *cv2.split(chroma.reshape(rows, width, 2))))
    return np.asarray(cv2.transform(yuv, _BGR_OF_YUV), np.uint8)


def _planes(message: Any, *planes: tuple[int, int, int]) -> list[NDArray[np.uint8]]:
    """Returns the planes of an image without padding, each as a view of its data (rows, bytes of a row).

    Args:
        message: the image.
        planes: rows, step, and bytes of a row without padding, of each plane.
    """
    _, step, row = planes[0]
    if step < row:
        raise ImageError(
            f"step {step} is shorter than a row of {message.width} {message.encoding} pixels ({row} bytes)"
        )
    if len(message.data) < sum(rows * step for rows, step, _ in planes):
        layout = " + ".join(f"height {rows} * step {step}" for rows, step, _ in planes)
        raise ImageError(f"{len(message.data)} bytes of data are shorter than {layout}")
    data, offset, found = np.frombuffer(message.data, np.uint8), 0, []
    for rows, step, row in planes:
        found.append(data[offset : offset + rows * step].reshape(rows, step)[:, :row])
        offset += rows * step
    return found


def _with_cv_bridge(message: Any) -> NDArray[np.uint8]:
    refusal = f"encoding '{message.encoding[:_SHOWN]}' is none of {ENCODINGS_TEXT}"
    convert = _cv_bridge()
    if convert is None:
        raise EncodingError(f"{refusal} (others need cv_bridge)")
    try:
        image = np.ascontiguousarray(convert(message, "bgr8"))
    except Exception as e:  # its own errors, those of OpenCV and of NumPy
        raise EncodingError(f"{refusal}, and cv_bridge refuses it: {one_line(e)}") from e
    if image.dtype != np.uint8 or image.shape != (message.height, message.width, 3):
        raise EncodingError(f"{refusal}, and cv_bridge makes {image.dtype} {image.shape} of it")
    return image


@cache
def _cv_bridge() -> Callable[[Any, str], Any] | None:
    """Returns the converter of cv_bridge; None where it is missing, or was built for another numpy."""
    try:
        from cv_bridge import CvBridge
    except (ImportError, AttributeError):
        return None
    return CvBridge().imgmsg_to_cv2
