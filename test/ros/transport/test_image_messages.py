# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import array

import cv2
import numpy as np
import pytest
from encoded_images import ENCODERS, gradient, tolerance
from image_messages import image_message
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from emotion_perception.core.errors import ImageError
from emotion_perception.ros.transport.image_messages import bgr_to_compressed, bgr_to_image, image_to_bgr


@pytest.mark.parametrize("encoding", ["rgb8", "bayer_grbg16", "nv12"])
def test_a_message_of_any_encoding_becomes_the_same_image(encoding):
    sent = image_message(ENCODERS[encoding](gradient()), encoding, padding=6, big_endian=True)
    assert np.abs(image_to_bgr(sent).astype(int) - gradient()).max() <= tolerance(encoding)


def test_there_and_back_again_nothing_changes():
    header = Header(frame_id="camera")
    header.stamp.sec = 7
    sent = bgr_to_image(gradient(), header)
    assert sent.header == header
    np.testing.assert_array_equal(image_to_bgr(sent), gradient())


def photograph():
    """Returns an image that is as smooth as those of cameras."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 6) // 2 + 60


def compressed(data, format="jpeg"):
    return CompressedImage(format=format, data=array.array("B", data))


def encode(suffix, image, *options):
    return cv2.imencode(suffix, image, list(options))[1].tobytes()


@pytest.mark.guarantee(
    "Mono, color, Bayer and YUV images of 8 and 16 bits are accepted with padded rows, in either byte order, and JPEG.",
    section="Face detection node",
)
@pytest.mark.parametrize(("quality", "tolerance"), [(100, 4), (80, 12), (1, 80)])
def test_a_compressed_image_is_nearly_the_same(quality, tolerance):
    header = Header(frame_id="camera")
    header.stamp.sec = 7
    sent = bgr_to_compressed(photograph(), header, quality)
    assert (sent.header, sent.format) == (header, "bgr8; jpeg compressed bgr8")
    result = image_to_bgr(sent)
    assert (result.dtype, result.shape) == (np.uint8, (60, 80, 3))
    assert np.abs(result.astype(int) - photograph()).max() <= tolerance


def test_a_lower_quality_is_fewer_bytes():
    sizes = [len(bgr_to_compressed(photograph(), Header(), quality).data) for quality in (95, 80, 20)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < photograph().nbytes


@pytest.mark.parametrize("format", ["png", "jpeg", "bgr8; png compressed bgr8", ""])
def test_the_data_says_what_it_is_whatever_the_format_field_says(format):
    np.testing.assert_array_equal(image_to_bgr(compressed(encode(".png", photograph()), format)), photograph())


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_gray_or_transparent_image_becomes_bgr(suffix):
    gray = cv2.cvtColor(photograph(), cv2.COLOR_BGR2GRAY)
    result = image_to_bgr(compressed(encode(suffix, gray)))
    assert np.abs(result.astype(int) - gray[:, :, None]).max() <= 8
    transparent = cv2.cvtColor(photograph(), cv2.COLOR_BGR2BGRA)
    np.testing.assert_array_equal(image_to_bgr(compressed(encode(".png", transparent))), photograph())


def test_a_image_is_not_turned_as_its_exif_says():
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"  # orientation 6
    jpeg = encode(".jpg", photograph())
    turned = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (80, 60, 3)
    assert image_to_bgr(compressed(turned)).shape == (60, 80, 3)


def with_frame_of(width, height):
    """Returns a whole JPEG whose header announces another size."""
    jpeg = bytearray(encode(".jpg", photograph()))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(jpeg)


def with_second_frame(width, height):
    """Returns a JPEG with a frame header in front of its own: libjpeg must not take the larger one."""
    large, small = with_frame_of(width, height), encode(".jpg", photograph())
    at = small.index(b"\xff\xc0")
    return small[: at + 19] + large[at : at + 19] + small[at + 19 :]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "0 bytes of compressed data are neither JPEG nor PNG"),
        (b"no image at all", "15 bytes of compressed data are neither JPEG nor PNG"),
        (encode(".jpg", photograph())[:400], "without a header|truncated"),
        (encode(".jpg", photograph())[:-2], "80x60 image are truncated"),
        (encode(".png", photograph())[:-8], "80x60 image are truncated"),
        (encode(".jpg", photograph())[:300] + b"\xff\xd9", "damaged|without a header"),
        (encode(".png", photograph())[:200] + encode(".png", photograph())[-12:], "80x60 image are damaged"),
        (with_frame_of(65_500, 65_500), "65500x65500 has more than 64 megapixels"),
        (with_second_frame(65_500, 65_500), "80x60 image are damaged"),
    ],
)
def test_a_malformed_compressed_image_is_one_clear_line(data, line):
    with pytest.raises(ImageError, match=line) as raised:
        image_to_bgr(compressed(data))
    assert "\n" not in str(raised.value)
