# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Notices that an image has changed elsewhere than at the known faces, at a hundredth of a detector's time."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_CELLS = 64  # along the longer side
_SAMPLES = 4  # along the side of a cell; the mean of all pixels would take ten times as long
_DIFFERENCE = 24  # gray levels of one channel; noise and slow changes of the light are below
_MIN_CELLS = 6  # a face of a twentieth of the longer side has nine
_BESIDE, _ABOVE = 1.0, 0.75  # widths and heights of a face within which its own head and body move; below it all


class SceneChange:
    """Compares images of one stream, scaled down to 64 cells along the longer side, with a reference."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None  # the cells of the image that `changed` got
        self._reference: NDArray[np.uint8] | None = None
        self._boxes: list[NDArray[np.float64]] = []

    def reset(self) -> None:
        """Forgets the reference."""
        self._last = self._reference = None

    def set_reference(self, known: Sequence[NDArray[np.float64]]) -> None:
        """Compares the next images with the one that `changed` got last.

        Args:
            known: boxes of the faces in it, float64 (4): x_min, y_min, x_max, y_max in pixels.
        """
        self._reference, self._boxes = self._last, list(known)

    def changed(self, image_bgr: NDArray[np.uint8], known: Sequence[NDArray[np.float64]]) -> bool:
        """Returns whether at least six cells differ that neither a known face nor its body covers, now or before.

        Args:
            image_bgr: uint8 (H, W, 3); an image of another size has changed.
            known: boxes of the known faces, as of `set_reference`.
        """
        cells = self._last = _cells(image_bgr)
        if self._reference is None or cells.shape != self._reference.shape:
            return True
        differs = cv2.absdiff(cells, self._reference).max(axis=2) > _DIFFERENCE
        if np.count_nonzero(differs) < _MIN_CELLS:
            return False
        scale = max(cells.shape) / max(image_bgr.shape)
        for xyxy in (*self._boxes, *known):
            width, height = xyxy[2:] - xyxy[:2]
            left, right = (xyxy[0] - _BESIDE * width) * scale, (xyxy[2] + _BESIDE * width) * scale
            top = (xyxy[1] - _ABOVE * height) * scale
            differs[max(0, int(top)) :, max(0, int(left)) : max(0, int(np.ceil(right)))] = False
        return int(np.count_nonzero(differs)) >= _MIN_CELLS


def _cells(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image_bgr.shape[:2]
    scale = _CELLS / max(height, width)
    wh = max(1, round(width * scale)), max(1, round(height * scale))
    sampled = cv2.resize(image_bgr, (_SAMPLES * wh[0], _SAMPLES * wh[1]), interpolation=cv2.INTER_LINEAR)
    return cv2.resize(sampled, wh, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
