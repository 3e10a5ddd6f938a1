# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from emotion_perception.core.errors import RegionError
from emotion_perception.core.images.geometry import clip_box, iou, iou_matrix, largest, square_crop
from emotion_perception.core.types import Box


@pytest.mark.parametrize(
    ("xyxy", "expected"),
    [
        ((2, 3, 8, 9), Box(2, 3, 8, 9)),
        ((2.7, 3.2, 7.1, 8.9), Box(2, 3, 8, 9)),  # outwards
        ((-5, -5, 4, 4), Box(0, 0, 4, 4)),
        ((15, 5, 99, 99), Box(15, 5, 20, 10)),
        ((-1e30, -float("inf"), 1e30, float("inf")), Box(0, 0, 20, 10)),
        ((19.2, 9.2, 19.4, 9.4), Box(19, 9, 20, 10)),  # a part of a pixel
    ],
)
def test_clip_keeps_the_box_inside_the_image(xyxy, expected):
    assert clip_box(xyxy, (20, 10)) == expected


@pytest.mark.parametrize(
    "xyxy",
    [
        (20, 0, 25, 5),
        (-5, 0, 0, 5),
        (0, 10, 5, 12),
        (3, 3, 3, 9),
        (9, 3, 3, 9),
        (float("nan"), 0, 5, 5),
        (0, 0, 5, float("nan")),
    ],
)
def test_clip_gives_nothing_where_nothing_is_left(xyxy):
    assert clip_box(xyxy, (20, 10)) is None


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (Box(0, 0, 4, 4), Box(0, 0, 4, 4), 1.0),
        (Box(0, 0, 4, 4), Box(2, 0, 6, 4), 8 / 24),
        (Box(0, 0, 4, 4), Box(1, 1, 3, 3), 4 / 16),
        (Box(0, 0, 4, 4), Box(4, 0, 8, 4), 0.0),  # they only touch
        (Box(0, 0, 4, 4), Box(9, 9, 12, 12), 0.0),
    ],
)
def test_iou_is_shared_over_common_area(a, b, expected):
    assert iou(a, b) == pytest.approx(expected)
    assert iou(b, a) == pytest.approx(expected)


@pytest.mark.parametrize(("rows", "columns"), [(4, 6), (1, 1), (0, 3), (3, 0), (0, 0)])
def test_the_matrix_of_overlaps_holds_the_overlap_of_every_pair(rows, columns):
    rng = np.random.default_rng(7)
    low, size = rng.integers(0, 20, (rows + columns, 2)), rng.integers(1, 20, (rows + columns, 2))
    edges = np.hstack((low, low + size))
    boxes = [Box(*map(int, xyxy)) for xyxy in edges]
    expected = np.array([[iou(a, b) for b in boxes[rows:]] for a in boxes[:rows]]).reshape(rows, columns)
    np.testing.assert_allclose(iou_matrix(edges[:rows].astype(float), edges[rows:].astype(float)), expected)


def picture(height=40, width=60):
    """Gray levels that tell the pixel: row + 2 * column."""
    return (np.arange(height)[:, None] + 2 * np.arange(width)[None, :]).astype(np.uint8)


@pytest.mark.parametrize(
    ("box", "margin", "side", "first_xy"),
    [
        (Box(10, 10, 20, 20), 0.0, 10, (10, 10)),
        (Box(10, 10, 20, 20), 0.1, 12, (9, 9)),
        (Box(10, 10, 16, 20), 0.0, 10, (8, 10)),  # the longer side counts
        (Box(10, 12, 20, 18), 0.0, 10, (10, 10)),
        (Box(20, 10, 30, 20), 0.5, 20, (15, 5)),
    ],
)
def test_crop_is_the_square_around_the_box(box, margin, side, first_xy):
    image = picture()
    crop = square_crop(image, box, margin)
    x, y = first_xy
    assert np.array_equal(crop, image[y : y + side, x : x + side])


@pytest.mark.parametrize("margin", [0.0, 0.04, 0.25])
@pytest.mark.parametrize("box", [Box(0, 0, 7, 9), Box(53, 31, 60, 40), Box(-4, -6, 5, 5), Box(0, 0, 60, 40)])
def test_crop_beyond_the_border_repeats_it(box, margin):
    image = picture()
    crop = square_crop(image, box, margin)
    side = round(max(box.width, box.height) * (1 + 2 * margin))
    left = int(np.floor(box.center_xy[0] - side / 2 + 0.5))
    top = int(np.floor(box.center_xy[1] - side / 2 + 0.5))
    rows = np.clip(np.arange(top, top + side), 0, 39)
    columns = np.clip(np.arange(left, left + side), 0, 59)
    assert np.array_equal(crop, image[np.ix_(rows, columns)])


def test_crop_keeps_color():
    image = np.dstack([picture(), picture() // 2, picture() // 3])
    assert np.array_equal(square_crop(image, Box(5, 5, 15, 15), 0.0), image[5:15, 5:15])


@pytest.mark.parametrize("box", [Box(60, 0, 70, 10), Box(-9, 0, 0, 10), Box(0, 40, 5, 50), Box(-10, -10, -1, -1)])
def test_crop_refuses_a_region_outside(box):
    with pytest.raises(RegionError, match="outside the 60x40 image"):
        square_crop(picture(), box, 0.1)


def test_crop_refuses_a_region_that_would_fill_the_memory():
    with pytest.raises(RegionError, match="too large"):
        square_crop(picture(), Box(0, 0, 4_000_000_000, 4_000_000_000), 0.1)


@pytest.mark.parametrize("box", [Box(0, 0, 240, 240), Box(-200, -200, 200, 200), Box(0, 100, 60, 101)])
def test_crop_of_a_large_region_beyond_the_image_is_scaled_down(box, monkeypatch):
    image = np.tile(np.arange(600, dtype=np.uint8)[:, np.newaxis], (1, 600))
    whole = square_crop(image, box, 0.5)
    monkeypatch.setattr("emotion_perception.core.images.geometry.MAX_CROP_SIDE", 50)
    crop = square_crop(image, box, 0.5)
    assert crop.shape == (50, 50)
    expected = cv2.resize(whole, (50, 50), interpolation=cv2.INTER_AREA)
    assert np.abs(crop.astype(int) - expected.astype(int)).mean() < 8


def test_crop_of_the_largest_region_takes_few_megabytes():
    image = np.zeros((2, 1_000_000, 3), np.uint8)
    assert square_crop(image, Box(0, 0, 1_000_000, 2), 0.2).shape == (1024, 1024, 3)


def test_largest_keeps_the_order():
    boxes = [Box(0, 0, side, side) for side in (3, 9, 5, 9, 7)]
    assert [box.width for box in largest(boxes, 3, lambda box: box)] == [9, 9, 7]
    assert largest(boxes, 9, lambda box: box) == boxes
