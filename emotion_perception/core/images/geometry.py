# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Functions on boxes and images: clip, overlap, crop."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import RegionError
from emotion_perception.core.types import Box

Item = TypeVar("Item")

MAX_CROP_SIDE = 1024  # pixels; many times the input of any network here
_LARGEST_REGION = 4  # in longer sides of the image; a larger region is invalid data


def clip_box(xyxy: Sequence[float], image_wh: tuple[int, int]) -> Box | None:
    """Returns the part of a rectangle that lies inside the image, rounded outwards to whole pixels.

    Args:
        xyxy: x_min, y_min, x_max, y_max in pixels, fractions allowed.
        image_wh: width and height of the image in pixels.

    Returns:
        The box; None if nothing remains: it is outside, has no area, or has a coordinate that is NaN.
    """
    width, height = image_wh
    x_min, y_min = max(float(xyxy[0]), 0.0), max(float(xyxy[1]), 0.0)
    x_max, y_max = min(float(xyxy[2]), float(width)), min(float(xyxy[3]), float(height))
    if any(map(math.isnan, xyxy)) or x_max <= x_min or y_max <= y_min:
        return None
    return Box(math.floor(x_min), math.floor(y_min), math.ceil(x_max), math.ceil(y_max))


def iou(a: Box, b: Box) -> float:
    """Returns the intersection over union of two boxes, 0..1."""
    width = min(a.x_max, b.x_max) - max(a.x_min, b.x_min)
    height = min(a.y_max, b.y_max) - max(a.y_min, b.y_min)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a.area + b.area - shared)


def iou_matrix(a_xyxy: NDArray[np.float64], b_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns `iou` of every rectangle of one list with every one of another, float64 (N, M).

    Args:
        a_xyxy: float64 (N, 4), x_min, y_min, x_max, y_max in pixels; N may be 0.
        b_xyxy: float64 (M, 4); M may be 0.
    """
    low = np.maximum(a_xyxy[:, np.newaxis, :2], b_xyxy[np.newaxis, :, :2])  # (N, M, 2)
    high = np.minimum(a_xyxy[:, np.newaxis, 2:], b_xyxy[np.newaxis, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas_a, areas_b = (np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1) for xyxy in (a_xyxy, b_xyxy))
    ious: NDArray[np.float64] = shared / (areas_a[:, np.newaxis] + areas_b[np.newaxis] - shared)
    return ious


def largest(items: Sequence[Item], count: int, box_of: Callable[[Item], Box]) -> list[Item]:
    """Returns the items with the largest boxes, at most `count`, in their order; of equal ones the first.

    Args:
        items: e.g. faces.
        count: from 0.
        box_of: returns the box of an item.
    """
    by_size = sorted(range(len(items)), key=lambda index: -box_of(items[index]).area)
    return [items[index] for index in sorted(by_size[:count])]


def check_region(box: Box, image_wh: tuple[int, int]) -> None:
    """Raises `RegionError` if a box has no pixel in an image of that width and height, or is many times larger."""
    width, height = image_wh
    if clip_box(box.xyxy, image_wh) is None:
        raise RegionError(f"region {box.xyxy} lies outside the {width}x{height} image")
    if max(box.width, box.height) > _LARGEST_REGION * max(width, height):
        raise RegionError(f"region {box.xyxy} is too large for the {width}x{height} image")


def square_crop(image: NDArray[np.uint8], box: Box, margin: float) -> NDArray[np.uint8]:
    """Crops the square around a box; outside the image, its border pixels are repeated.

    A crop inside the image is a view of it. One that reaches beyond it needs memory of its own, so it is scaled down to
    `MAX_CROP_SIDE` where it is larger.

    Args:
        image: uint8, (H, W) or (H, W, 3).
        box: region in pixels; may lie partly outside the image.
        margin: share of the box's longer side that is added on each side, e.g. 0.1.

    Returns:
        uint8 (S, S) or (S, S, 3) with S = longer side of the box * (1 + 2 * margin), a new array or a view; S is at
        most `MAX_CROP_SIDE` where the crop reaches beyond the image.

    Raises:
        RegionError: the box has no pixel in the image, or is many times larger than it.
    """
    check_region(box, (image.shape[1], image.shape[0]))
    side = max(1, round(max(box.width, box.height) * (1 + 2 * margin)))
    center_x, center_y = box.center_xy
    left, top = math.floor(center_x - side / 2 + 0.5), math.floor(center_y - side / 2 + 0.5)
    return _crop_square(image, left, top, side)


def _crop_square(image: NDArray[np.uint8], left: int, top: int, side: int) -> NDArray[np.uint8]:
    """Crops a square that has at least one pixel in the image."""
    height, width = image.shape[:2]
    right, bottom = left + side, top + side
    inside = image[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    if inside.shape[:2] == (side, side):
        return inside
    above, before = max(-top, 0), max(-left, 0)
    if side > MAX_CROP_SIDE:
        scale = MAX_CROP_SIDE / side
        rows, columns = (max(1, round(pixels * scale)) for pixels in inside.shape[:2])
        inside = cv2.resize(inside, (columns, rows), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        side = MAX_CROP_SIDE
        above, before = min(round(above * scale), side - rows), min(round(before * scale), side - columns)
    rows, columns = inside.shape[:2]
    beyond = (above, side - above - rows, before, side - before - columns)
    return cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE)  # type: ignore[return-value]
