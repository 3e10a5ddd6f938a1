# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math
from types import SimpleNamespace

import numpy as np
import pytest

from emotion_perception.core.errors import ImageError
from emotion_perception.core.people import depth_image
from emotion_perception.core.people.depth_image import MAX_DEPTH_IMAGES, DepthImage, DepthImages
from emotion_perception.core.types import Box

REGION = Box(10, 10, 30, 30)


def message(depths, encoding="16UC1", *, is_bigendian=False, padding=0, frame_id="camera"):
    """Returns the fields of an image; depths in units of the encoding, (H, W)."""
    kind = np.dtype("f4" if encoding == "32FC1" else "u2").newbyteorder(">" if is_bigendian else "<")
    rows = np.asarray(depths).astype(kind).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    return SimpleNamespace(
        header=SimpleNamespace(frame_id=frame_id),
        height=rows.shape[0],
        width=len(depths[0]),
        encoding=encoding,
        is_bigendian=int(is_bigendian),
        step=rows.shape[1],
        data=rows.tobytes(),
    )


def depth(depths, encoding="16UC1", **options):
    return DepthImage(0, message(depths, encoding, **options))


@pytest.mark.guarantee(
    "The distance of a face is the robust median of a registered depth image, 16UC1 or 32FC1, of either byte order.",
    section="Positions and head poses",
)
@pytest.mark.parametrize("is_bigendian", [False, True])
@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize(("encoding", "unit"), [("16UC1", 0.001), ("mono16", 0.001), ("32FC1", 1.0)])
def test_the_distance_is_that_of_most_of_a_region(encoding, unit, padding, is_bigendian):
    depths = np.full((48, 64), 4.0)
    depths[10:30, 10:26] = np.linspace(1.48, 1.52, 16)  # a face before a wall
    found = depth(depths / unit, encoding, padding=padding, is_bigendian=is_bigendian).distance(REGION)
    assert found.z_m == pytest.approx(1.5, abs=0.002)
    assert 0.01 <= found.std_m < 0.03


@pytest.mark.parametrize(
    "invalid", [0.0, -1.0, math.nan, math.inf, -math.inf, 1e30, 0.01, 99.0], ids=lambda value: f"{value:g}"
)
def test_invalid_pixels_are_left_out_and_too_many_leave_no_distance(invalid):
    depths = np.full((48, 64), 2.0, np.float32)
    depths[10:30, 10:24] = invalid
    assert depth(depths, "32FC1").distance(REGION).z_m == pytest.approx(2.0)
    depths[10:30, 10:27] = invalid
    assert depth(depths, "32FC1").distance(REGION) is None
    assert depth(np.full((48, 64), invalid, np.float32), "32FC1").distance(REGION) is None


def test_a_region_is_cut_at_the_border_and_needs_nine_pixels():
    image = depth(np.full((48, 64), 1500))
    assert image.distance(Box(50, 40, 90, 90)).z_m == pytest.approx(1.5)
    assert image.distance(Box(62, 44, 70, 50)) is None
    assert image.distance(Box(64, 0, 90, 40)) is None
    assert image.distance(Box(-50, -50, 0, 0)) is None
    far_apart = np.full((48, 64), 1000)
    far_apart[::2] = 3000
    assert depth(far_apart).distance(REGION) is None, "half of it is 2 m behind the other half"


def test_a_large_region_is_sampled(monkeypatch):
    sizes, depth_of = [], depth_image.depth_of

    def measured(*arguments, **options):
        depths = depth_of(*arguments, **options)
        sizes.append(depths.size)
        return depths

    monkeypatch.setattr(depth_image, "depth_of", measured)
    assert depth(np.full((480, 640), 1500)).distance(Box(0, 0, 640, 480)).z_m == pytest.approx(1.5)
    assert 1000 < sizes[-1] <= 4096


@pytest.mark.parametrize(
    "spoil",
    [
        {"encoding": "bgr8"},
        {"encoding": "💥" * 5000},
        {"width": 0},
        {"height": 2**32 - 1},
        {"step": 3},
        {"data": b"12"},
        {"step": 2**32 - 1},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
def test_a_malformed_depth_image_is_refused_in_one_line(spoil):
    malformed = message(np.full((4, 4), 1500))
    for name, value in spoil.items():
        setattr(malformed, name, value)
    with pytest.raises(ImageError) as refusal:
        DepthImage(0, malformed)
    assert len(str(refusal.value)) < 300


def test_an_image_of_another_frame_or_size_is_not_registered():
    image = depth(np.full((48, 64), 1500), frame_id="color")
    assert image.mismatch("color", (64, 48)) == ""
    assert image.mismatch("depth", (64, 48)) == "its frame is 'color', that of the images 'depth'"
    assert image.mismatch("color", (640, 480)) == "it has 64x48 pixels, the images 640x480"


def test_the_equal_stamp_comes_first_and_else_the_nearest_within_the_window():
    images = DepthImages()
    assert images.closest(0, 1.0) is None
    for stamp_ms in (0, 33, 66):
        images.add(DepthImage(stamp_ms * 1_000_000, message(np.full((4, 4), stamp_ms))))
    assert images.closest(33_000_000, 0.0).stamp_ns == 33_000_000
    assert images.closest(60_000_000, 0.05).stamp_ns == 66_000_000
    assert images.closest(100_000_000, 0.05).stamp_ns == 66_000_000
    assert images.closest(100_000_000, 0.03) is None


def test_the_number_and_the_size_of_waiting_depth_images_are_bounded(monkeypatch):
    images = DepthImages()
    for number in range(2 * MAX_DEPTH_IMAGES):
        images.add(DepthImage(number, message(np.full((4, 4), 1))))
    assert images.closest(0, 1.0).stamp_ns == MAX_DEPTH_IMAGES
    monkeypatch.setattr(depth_image, "MAX_DEPTH_BYTES", 70)
    images.add(DepthImage(100, message(np.full((4, 4), 1))))
    assert images.closest(0, 1.0).stamp_ns == 2 * MAX_DEPTH_IMAGES - 1
    images.add(DepthImage(101, message(np.full((40, 40), 1))))
    assert images.closest(0, 1.0).stamp_ns == 101, "the newest one is kept whatever its size"
