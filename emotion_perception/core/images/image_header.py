# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the size of a compressed image from its header, before it is decoded."""

import struct

from emotion_perception.core.errors import ImageError

MAX_PIXELS = 64_000_000
MAX_JPEG_SCANS = 100  # an encoder writes about ten; a decoder goes through all pixels for each of them
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_JPEG_END, _PNG_END = b"\xff\xd9", b"IEND\xaeB`\x82"
_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..SOF15 without DHT, JPG and DAC
_SCAN_MARKER, _SCAN = 0xDA, b"\xff\xda"
_STANDALONE_MARKERS = frozenset((0x01, *range(0xD0, 0xD9)))  # have no length


def read_image_size(data: bytes) -> tuple[int, int]:
    """Returns the (width, height) in the header of a JPEG or PNG file; checks that it is complete and not too large.

    A decoder allocates memory for the size in the header before it reads the rest, so that a few crafted bytes could
    request gigabytes. JPEG after ITU-T T.81 annex B, PNG after its specification, chapter 11.2.2.

    Raises:
        ImageError: it is neither, has no pixels or more than `MAX_PIXELS`, has more than `MAX_JPEG_SCANS` scans, or is
            truncated.
    """
    if data.startswith(_JPEG):
        (width, height), end = _size_of_jpeg(data), _JPEG_END
        if (scans := data.count(_SCAN)) > MAX_JPEG_SCANS:
            raise ImageError(f"a compressed {width}x{height} image has {scans} scans, more than {MAX_JPEG_SCANS}")
    elif data.startswith(_PNG):
        (width, height), end = _size_of_png(data), _PNG_END
    else:
        raise ImageError(f"{len(data)} bytes of compressed data are neither JPEG nor PNG")
    if not width or not height:
        raise ImageError(f"a compressed image of {width}x{height} has no pixels")
    if width * height > MAX_PIXELS:
        raise ImageError(f"a compressed image of {width}x{height} has more than {MAX_PIXELS // 1_000_000} megapixels")
    if data.rfind(end) < 0:
        raise ImageError(f"{len(data)} bytes of a compressed {width}x{height} image are truncated")
    return width, height


def _size_of_png(data: bytes) -> tuple[int, int]:
    if data[12:16] != b"IHDR" or len(data) < 24:
        raise ImageError("a PNG image without a header")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    """Follows the markers to the frame header, which precedes the first scan."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _SIZE_MARKERS:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if marker == _SCAN_MARKER:
            break
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker in _STANDALONE_MARKERS:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise ImageError("a JPEG image without a header")
