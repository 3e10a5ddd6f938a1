# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
from encoded_images import ENCODERS, as_bgr, fields, gradient, tolerance

from emotion_perception.core.errors import EncodingError, ImageError, clipped
from emotion_perception.core.images import compressed_to_bgr, depth_of, image_codec, raw_to_bgr
from emotion_perception.core.images.image_codec import DEPTH_ENCODINGS, ENCODINGS, ENCODINGS_TEXT

ROOT = Path(__file__).parents[3]


def encoded(bgr, encoding, **options):
    return fields(ENCODERS[encoding](bgr), encoding, **options)


def test_every_encoding_has_an_encoder():
    assert ENCODERS.keys() == set(ENCODINGS)


@pytest.mark.guarantee(
    "Mono, color, Bayer and YUV images of 8 and 16 bits are accepted with padded rows, in either byte order, and JPEG.",
    section="Face detection node",
)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_becomes_the_same_image(encoding):
    for padding, big_endian in ((0, False), (0, True), (5, False), (6, True)):
        result = raw_to_bgr(encoded(gradient(), encoding, padding=padding, big_endian=big_endian))
        assert (result.dtype, result.flags.c_contiguous) == (np.uint8, True)
        assert np.abs(result.astype(int) - as_bgr(gradient(), encoding)).max() <= tolerance(encoding)


@pytest.mark.parametrize("bgr", [(220, 40, 30), (30, 220, 40), (40, 30, 220), (180, 120, 60)])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_color_stays_that_color(encoding, bgr):
    image = np.full((6, 8, 3), bgr, np.uint8)
    difference = raw_to_bgr(encoded(image, encoding)).astype(int) - as_bgr(image, encoding)
    assert np.abs(difference).max() <= (2 if re.match("nv|yu|uy", encoding) else 0)


@pytest.mark.parametrize(
    ("encoding", "expected"),  # of a mosaic whose only bright values are the first of every second in both directions
    [("bayer_rggb8", (0, 0, 200)), ("bayer_bggr8", (200, 0, 0)), ("bayer_gbrg8", "G"), ("bayer_grbg8", "G")],
)
def test_a_bayer_pattern_is_named_by_its_first_row(encoding, expected):
    mosaic = np.zeros((8, 8), np.uint8)
    mosaic[::2, ::2] = 200
    blue, green, red = raw_to_bgr(fields(mosaic, encoding))[4, 4]
    if expected == "G":
        assert (blue, red) == (0, 0)
        assert green > 90
    else:
        assert (blue, green, red) == expected


def test_sixteen_bits_are_scaled_and_rounded():
    values = np.array([[0, 128, 129, 257, 32_896, 65_535]], np.uint16)
    assert raw_to_bgr(fields(values, "mono16"))[0, :, 1].tolist() == [0, 0, 1, 1, 128, 255]


@pytest.mark.parametrize(
    ("image_format", "is_converted"),
    [
        ("bayer_rggb8; png compressed ", True),
        ("bayer_rggb8; png compressed bayer_rggb8", True),
        ("bayer_rggb8; jpeg compressed bgr8", False),
        ("mono8; png compressed ", False),
        ("png", False),
        ("", False),
    ],
)
def test_a_bayer_image_that_was_compressed_as_it_is_becomes_a_color_image(image_format, is_converted):
    mosaic = np.zeros((8, 8), np.uint8)
    mosaic[::2, ::2] = 200  # the red pixels
    image = compressed_to_bgr(cv2.imencode(".png", mosaic)[1].tobytes(), image_format)
    expected = (0, 0, 200) if is_converted else (200, 200, 200)
    assert tuple(image[4, 4].tolist()) == expected


@pytest.mark.parametrize("encoding", ["bayer_rggb8", "bayer_gbrg16", "nv24", "rgb16"])
def test_odd_sizes(encoding):
    image = gradient(41, 33)
    assert np.abs(raw_to_bgr(encoded(image, encoding, padding=3)).astype(int) - image).max() <= tolerance(encoding)


@pytest.mark.parametrize("encoding", ["nv12", "nv21", "nv24"])
@pytest.mark.parametrize("step", [0, 3, 12, 16, 24])
def test_planes_without_padding_are_read_whatever_their_step_says(encoding, step):
    message = encoded(gradient(), encoding)
    expected = raw_to_bgr(message)
    message.step = step
    np.testing.assert_array_equal(raw_to_bgr(message), expected)


def test_values_may_begin_at_any_address():
    message = encoded(gradient(), "rgb16")
    expected = raw_to_bgr(message)
    message.data = np.frombuffer(b"x" + message.data, np.uint8)[1:]
    np.testing.assert_array_equal(raw_to_bgr(message), expected)


def bad(made_as="bgr8", **changes):
    """Returns a message of the gradient with other fields."""
    return SimpleNamespace(**(vars(encoded(gradient(), made_as)) | changes))


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (bad(data=b"abc"), "3 bytes of data are shorter than height 6 \\* step 24$"),
        (bad(data=b""), "0 bytes of data are shorter"),
        (bad(step=23), "step 23 is shorter than a row of 8 bgr8 pixels \\(24 bytes\\)"),
        (bad(width=0), "an image of 0x6 has no pixel"),
        (bad(height=0), "an image of 8x0 has no pixel"),
        (bad(height=4_000_000_000), "an image of 8x4000000000 has more than 64 megapixels"),
        (bad(step=2**32 - 1), "144 bytes of data are shorter than height 6 \\* step 4294967295"),
        (bad("bgr16", step=47), "step 47 is shorter than a row of 8 bgr16 pixels \\(48 bytes\\)"),
        (bad("yuyv", width=7, step=14), "7x6 yuyv has an odd width"),
        (bad("nv12", width=7), "7x6 nv12 has an odd width"),
        (bad("nv21", height=5), "8x5 nv21 has an odd height"),
        (bad("nv12", data=bytes(71)), "71 bytes of data are shorter than height 6 \\* step 8 \\+ height 3 \\* step 8"),
        (bad("nv12", step=7, data=bytes(80)), "step 7 is shorter than a row of 8 nv12 pixels"),
        (bad("nv24", data=bytes(100)), "100 bytes .* than height 6 \\* step 8 \\+ height 6 \\* step 16"),
        (bad("nv24", step=10, data=bytes(145)), "145 bytes .* than height 6 \\* step 10 \\+ height 6 \\* step 20"),
    ],
)
def test_a_malformed_image_is_one_clear_line(message, line):
    with pytest.raises(ImageError, match=line) as raised:
        raw_to_bgr(message)
    assert not isinstance(raised.value, EncodingError)
    assert "\n" not in str(raised.value)


def listed(text):
    """Returns the names in a text like "mono8/16, nv12, 8UC1/3/4"."""
    for name in text.split(", "):
        first, *others = name.split("/")
        yield first
        yield from (re.sub(r"\d+$", other, first) for other in others)


@pytest.fixture
def cv_bridge(monkeypatch):
    """Sets what `import cv_bridge` gives: a converter, or None where it fails."""

    def install(convert):
        module = convert and ModuleType("cv_bridge")
        if module:
            module.CvBridge = lambda: SimpleNamespace(imgmsg_to_cv2=convert)
        monkeypatch.setitem(sys.modules, "cv_bridge", module)
        image_codec._cv_bridge.cache_clear()

    yield install
    image_codec._cv_bridge.cache_clear()


@pytest.mark.guarantee("An unsupported encoding is one line with the supported ones.", section="Face detection node")
@pytest.mark.parametrize("encoding", ["", "rgb565", "BGR8", "32FC1", "x" * 5000, "\n"])
def test_an_encoding_that_is_not_taken_is_one_line_that_lists_the_others(cv_bridge, encoding):
    cv_bridge(None)
    with pytest.raises(EncodingError) as raised:
        raw_to_bgr(bad(encoding=encoding))
    line = str(raised.value)
    assert "\n" not in line
    assert line.endswith(f"is none of {ENCODINGS_TEXT} (others need cv_bridge)")
    assert clipped(line) == line, "a log clips it"


def test_the_text_for_people_lists_every_encoding():
    assert sorted(listed(ENCODINGS_TEXT)) == sorted(ENCODINGS)


def test_the_docs_list_every_encoding():
    text = (ROOT / "docs/topics.md").read_text(encoding="utf-8")
    section = text.partition("\n## Encodings of images\n")[2].partition("\n## ")[0]
    images, depth = (re.findall(r"^\| `([^|]*)` \|", part, re.MULTILINE) for part in section.split("\n### "))
    assert sorted(name for row in images for name in row.split("`, `")) == sorted(ENCODINGS)
    assert sorted(name for row in depth for name in row.split("`, `")) == sorted(DEPTH_ENCODINGS)


@pytest.mark.guarantee(
    "Where cv_bridge is installed, every encoding that it converts is accepted.", section="Face detection node"
)
def test_cv_bridge_is_tried_for_other_encodings(cv_bridge):
    asked = []

    def convert(message, wanted):
        asked.append((message.encoding, wanted))
        return gradient()

    cv_bridge(convert)
    np.testing.assert_array_equal(raw_to_bgr(bad(encoding="8SC3")), gradient())
    raw_to_bgr(bad())
    assert asked == [("8SC3", "bgr8")]


def refuse(message, wanted):
    raise TypeError("[8SC3] is not a color format.\nBut [bgr8] is")


@pytest.mark.parametrize(
    ("convert", "reason"),
    [
        (refuse, r"and cv_bridge refuses it: \[8SC3\] is not a color format\.$"),
        (lambda message, wanted: np.zeros((6, 8)), r"and cv_bridge makes float64 \(6, 8\) of it"),
        (lambda message, wanted: np.zeros((5, 8, 3), np.uint8), r"and cv_bridge makes uint8 \(5, 8, 3\) of it"),
    ],
)
def test_what_cv_bridge_cannot_convert_either_is_one_line(cv_bridge, convert, reason):
    cv_bridge(convert)
    with pytest.raises(EncodingError, match=reason):
        raw_to_bgr(bad(encoding="8SC3"))


def test_the_real_cv_bridge_makes_the_same_images():
    reason = "no cv_bridge here: compared with it where ROS is from apt"
    bridge = pytest.importorskip("cv_bridge", reason=reason).CvBridge()
    for encoding in ("mono8", "mono16", "bgr8", "rgb8", "bgra8", "rgba8", "bayer_rggb8", "bayer_gbrg8"):
        message = encoded(gradient(), encoding)
        expected = bridge.imgmsg_to_cv2(message, "bgr8")
        assert np.abs(raw_to_bgr(message).astype(int) - expected).max() <= 1, encoding


METERS = np.array([[0.5, 1.0, 2.5], [np.nan, 65.535, 0.001]], np.float32)


@pytest.mark.parametrize(("padding", "big_endian"), [(0, False), (4, False), (3, True)])
@pytest.mark.parametrize("encoding", DEPTH_ENCODINGS)
def test_depth_is_meters_and_nan_where_there_is_none(encoding, padding, big_endian):
    is_float = encoding == "32FC1"
    pixels = METERS if is_float else np.nan_to_num(METERS * 1000).round().astype(np.uint16)
    depth = depth_of(fields(pixels, encoding, padding=padding, big_endian=big_endian))
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, METERS, rtol=1e-6)


def test_depth_that_is_no_length_is_nan():
    pixels = np.array([[0.0, -1.0, np.inf, -np.inf, np.nan, 1e-3]], np.float32)
    assert np.isnan(depth_of(fields(pixels, "32FC1"))).tolist() == [[True] * 5 + [False]]


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (fields(METERS, "64FC1"), "depth encoding '64FC1' is none of 16UC1, mono16, 32FC1"),
        (fields(METERS.astype(np.float16), "32FC1"), "step 6 is shorter than a row of 3 32FC1 pixels"),
        (bad(encoding="32FC1", step=0), "144 bytes of data are shorter than height 6 \\* step 32"),
    ],
)
def test_a_depth_image_that_cannot_be_read_is_one_line(message, line):
    with pytest.raises(ImageError, match=line):
        depth_of(message)
