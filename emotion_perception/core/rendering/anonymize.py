# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Makes faces unrecognizable in a copy of an image."""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import RegionError
from emotion_perception.core.images import clip_box
from emotion_perception.core.types import Box, Face

# Chosen so that CenterFace, YuNet and Haar detect none of the anonymized faces, from 16 to 400 pixels.
_MARGIN = 0.35  # share of the box's sides, added on each side: hair and chin are enough for a detector
_CELLS = 4  # of a mosaic, along the shorter side of the region
_BLUR_SIDE = 16  # pixels to which the shorter side is reduced before it is blurred
_SAMPLED_SIDE = 128  # pixels of the shorter side that are read, so that a large face takes no longer
_SIGMA = 0.3  # of the Gaussian, as a share of the shorter side
_GRAY = 128
_HOLD_S = 1.0
_MAX_HIDDEN = 8  # areas of the image: where regions overlap more than that, the whole image is hidden instead
_MAX_HELD = 1024  # regions of missing faces; reached only if stamps stand still or track ids change with every frame


def anonymize_faces(image_bgr: NDArray[np.uint8], boxes: Sequence[Box], mode: str) -> NDArray[np.uint8]:
    """Makes faces unrecognizable, each with a margin around its box.

    Args:
        image_bgr: uint8 (H, W, 3); not changed.
        boxes: regions of faces in pixels; may be partly or fully outside the image.
        mode: `none`, `blur`, `pixelate` or `fill` (plain gray); the strength depends on the size of each face.

    Returns:
        A new uint8 (H, W, 3), unchanged outside the boxes and their margins; hidden as a whole if the areas of these
        sum up to more than eight images.
    """
    canvas = image_bgr.copy()
    if mode == "none":
        return canvas
    regions = [region for box in boxes if (region := _with_margin(box, (canvas.shape[1], canvas.shape[0])))]
    if sum(region.area for region in regions) > _MAX_HIDDEN * canvas.shape[0] * canvas.shape[1]:
        return anonymize_image(image_bgr, mode)
    for region in regions:
        _hide(canvas[region.y_min : region.y_max, region.x_min : region.x_max], mode)
    return canvas


def anonymize_image(image_bgr: NDArray[np.uint8], mode: str) -> NDArray[np.uint8]:
    """Anonymizes a whole image, so that a face of any size is unrecognizable; arguments as of `anonymize_faces`."""
    canvas = image_bgr.copy()
    if mode != "none":
        _hide(canvas, mode)
    return canvas


def anonymized_region(image_bgr: NDArray[np.uint8], box: Box, mode: str) -> NDArray[np.uint8]:
    """Returns the part of an image in a box; where a mode is given, all of it is hidden as `anonymize_faces` would.

    Args:
        image_bgr: uint8 (H, W, 3); not changed.
        box: region of a face in pixels, at least partly inside the image.
        mode: as of `anonymize_faces`.

    Returns:
        uint8 (h, w, 3), a view of the image if the mode is `none`.

    Raises:
        RegionError: the box is outside the image.
    """
    image_wh = image_bgr.shape[1], image_bgr.shape[0]
    inside, region = clip_box(box.xyxy, image_wh), _with_margin(box, image_wh)
    if inside is None or region is None:
        raise RegionError(f"the region {box.xyxy} is outside the image of {image_wh[0]}x{image_wh[1]} pixels")
    hidden = image_bgr[region.y_min : region.y_max, region.x_min : region.x_max]
    if mode != "none":
        hidden = anonymize_image(hidden, mode)
    x, y = inside.x_min - region.x_min, inside.y_min - region.y_min
    return hidden[y : y + inside.height, x : x + inside.width]


class FaceAnonymizer:
    """Anonymizes the images of a stream.

    A detector misses a face now and then, so the last region of a missing face stays hidden for one more second, and at
    least for one frame.
    """

    def __init__(self) -> None:
        self._last_seen: dict[int, tuple[float, Box]] = {}
        self._last_stamp_s = -math.inf

    def hide(
        self, image_bgr: NDArray[np.uint8], faces: Sequence[Face] | None, stamp_s: float, mode: str
    ) -> NDArray[np.uint8]:
        """Returns the image with hidden faces, or hidden as a whole if its faces are not known.

        Args:
            image_bgr: uint8 (H, W, 3); not changed.
            faces: all faces in it, or None if they are not known. They are not known either if one of them has no pixel
                in the image, which is then not the one that they were found in.
            stamp_s: stamp of the image in seconds; a stamp that goes backwards forgets missing faces.
            mode: as of `anonymize_faces`; with `none` the image itself is returned.
        """
        if mode == "none":
            self._last_seen.clear()
            return image_bgr
        if faces is None:
            return anonymize_image(image_bgr, mode)
        missing, image_wh = self._missing(faces, stamp_s), (image_bgr.shape[1], image_bgr.shape[0])
        if missing is None or any(clip_box(face.box.xyxy, image_wh) is None for face in faces):
            return anonymize_image(image_bgr, mode)
        return anonymize_faces(image_bgr, [*(face.box for face in faces), *missing], mode)

    def _missing(self, faces: Sequence[Face], stamp_s: float) -> list[Box] | None:
        """Returns the regions of missing faces, None if there are too many to keep."""
        present = {face.track_id: (stamp_s, face.box) for face in faces}
        held = {
            track: (seen_s, box)
            for track, (seen_s, box) in self._last_seen.items()
            if track not in present and 0 <= stamp_s - seen_s <= max(_HOLD_S, stamp_s - self._last_stamp_s)
        }
        self._last_stamp_s = stamp_s
        if len(held) > _MAX_HELD:
            self._last_seen = present
            return None
        self._last_seen = held | present
        return [box for _, box in held.values()]


def _with_margin(box: Box, image_wh: tuple[int, int]) -> Box | None:
    x, y = _MARGIN * box.width, _MARGIN * box.height
    return clip_box((box.x_min - x, box.y_min - y, box.x_max + x, box.y_max + y), image_wh)


def _hide(region: NDArray[np.uint8], mode: str) -> None:
    """Overwrites a region (h, w, 3)."""
    region[:] = _HIDERS[mode](region)


def _blurred(region: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = _shrunk(region, _BLUR_SIDE)
    soft = cv2.GaussianBlur(small, (0, 0), _SIGMA * min(small.shape[:2]), borderType=cv2.BORDER_REPLICATE)
    return _stretched(soft, region, cv2.INTER_LINEAR)  # type: ignore[arg-type]


def _pixelated(region: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return _stretched(_shrunk(region, _CELLS), region, cv2.INTER_NEAREST)


def _filled(region: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.full_like(region, _GRAY)


def _shrunk(region: NDArray[np.uint8], shorter_side: int) -> NDArray[np.uint8]:
    step = max(1, min(region.shape[:2]) // _SAMPLED_SIDE)
    region = region[::step, ::step]
    height, width = region.shape[:2]
    factor = min(0.5, shorter_side / min(width, height))  # even a face of few pixels loses most of them
    size = math.ceil(width * factor), math.ceil(height * factor)
    return cv2.resize(region, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _stretched(small: NDArray[np.uint8], like: NDArray[np.uint8], interpolation: int) -> NDArray[np.uint8]:
    return cv2.resize(small, (like.shape[1], like.shape[0]), interpolation=interpolation)  # type: ignore[return-value]


_HIDERS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "blur": _blurred,
    "pixelate": _pixelated,
    "fill": _filled,
}
