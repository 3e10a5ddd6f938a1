# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import struct

import cv2
import numpy as np
import pytest

from emotion_perception.core.errors import ImageError
from emotion_perception.core.images.image_header import read_image_size

PICTURE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8), (0, 0), 2)


def encoded(suffix, *options):
    return cv2.imencode(suffix, PICTURE, list(options))[1].tobytes()


def jpeg_of(width, height, *, marker=0xC0, before=b""):
    """Returns the beginning of a JPEG file that announces a size, and its end."""
    frame = bytes((0xFF, marker)) + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + before + frame + b"\xff\xda\x00\x0c" + bytes(20) + b"\xff\xd9"


def png_of(width, height):
    head = struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + head + bytes(4) + b"\x00\x00\x00\x00IEND\xaeB`\x82"


TABLES = b"\xff\xdb" + struct.pack(">H", 67) + bytes(65)
THUMBNAIL = b"\xff\xe1" + struct.pack(">H", 2 + len(jpeg_of(8, 6))) + jpeg_of(8, 6)


@pytest.mark.parametrize(
    "data",
    [
        encoded(".jpg"),
        encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encoded(".png"),
        encoded(".jpg") + bytes(512),  # cameras fill their buffers up
        jpeg_of(40, 30, marker=0xC2),
        jpeg_of(40, 30, before=TABLES),
        jpeg_of(40, 30, before=b"\xff\xff" + TABLES),
        jpeg_of(40, 30, before=b"\xff\x01" + TABLES),
        jpeg_of(40, 30, before=THUMBNAIL),
        png_of(40, 30),
    ],
    ids=[
        "jpeg",
        "progressive",
        "png",
        "filled",
        "SOF2",
        "tables",
        "filling",
        "bare marker",
        "thumbnail",
        "crafted png",
    ],
)
def test_the_announced_size_is_read(data):
    assert read_image_size(data) == (40, 30)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "0 bytes of compressed data are neither JPEG nor PNG"),
        (b"GIF89a" + bytes(100), "106 bytes of compressed data are neither JPEG nor PNG"),
        (encoded(".bmp"), "are neither JPEG nor PNG"),
        (b"\xff\xd8\xff", "a JPEG image without a header"),
        (b"\xff\xd8\xff\xe0\xff\xff" + bytes(50), "a JPEG image without a header"),
        (b"\xff\xd8" + TABLES + bytes(50), "a JPEG image without a header"),
        (b"\xff\xd8\xff\xda\x00\x0c" + jpeg_of(40, 30), "a JPEG image without a header"),
        (encoded(".png")[:20], "a PNG image without a header"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG image without a header"),
        (jpeg_of(40, 0), "a compressed image of 40x0 has no pixel"),
        (png_of(0, 30), "a compressed image of 0x30 has no pixel"),
        (jpeg_of(65_500, 65_500), "65500x65500 has more than 64 megapixels"),
        (png_of(2_000_000_000, 2_000_000_000), "2000000000x2000000000 has more than 64 megapixels"),
        (png_of(64_000_001, 1), "64000001x1 has more than 64 megapixels"),
        (jpeg_of(40, 30) + b"\xff\xda" * 100, "40x30 image has 101 scans, more than 100"),
        (encoded(".jpg")[:-2], "bytes of a compressed 40x30 image are truncated"),
        (encoded(".png")[:-6], "bytes of a compressed 40x30 image are truncated"),
    ],
)
def test_what_cannot_be_a_whole_image_is_refused_with_one_line(data, line):
    with pytest.raises(ImageError, match=line) as raised:
        read_image_size(data)
    assert "\n" not in str(raised.value)


def test_the_largest_image_is_let_through():
    assert read_image_size(png_of(8000, 8000)) == (8000, 8000)


def test_whatever_the_bytes_are_the_answer_is_a_size_or_one_line():
    rng, whole = np.random.default_rng(1), encoded(".jpg")
    for _ in range(2000):
        data = bytearray(whole)
        for at in rng.integers(2, len(data), 8):
            data[at] = rng.integers(256)
        data = bytes(data[: rng.integers(len(data))])
        try:
            assert min(read_image_size(data)) > 0
        except ImageError as e:
            assert "\n" not in str(e)  # noqa: PT017 - either is right
