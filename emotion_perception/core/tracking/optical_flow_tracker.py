# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Moves faces from one image to the next without a detector, by the optical flow of points inside them."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.images import clip_box
from emotion_perception.core.types import Face, Landmarks, Point

_GRID = 8  # points along each side of a face
_INNER = 0.8  # share of the side that the points cover: the edges show background
_MAX_BACKWARD_ERROR_PX = 1.0  # of a point, in pixels of the working image
_MIN_KEPT = 0.4  # share of a face's points that have to remain
_GROWTH = (0.8, 1.25)  # allowed ratio of sides in consecutive images
_WINDOW, _LEVELS = (15, 15), 3  # of the flow: pixels, pyramid levels above the image
_POINTS = np.stack(np.meshgrid(*[np.linspace(-_INNER / 2, _INNER / 2, _GRID)] * 2), axis=-1).reshape(-1, 2)


class OpticalFlowTracker:
    """Moves the faces of one stream from image to image, each by translation, rotation and scale.

    Points on a grid inside each face are tracked forward and backward (pyramidal Lucas-Kanade); those that return to
    their start determine one similarity transform, after Kalal, Mikolajczyk and Matas 2010, "Forward-Backward Error:
    Automatic Detection of Tracking Failures".

    Args:
        size: longer side in pixels to which images are scaled for optical flow; 0 keeps the image's.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._gray: NDArray[np.uint8] | None = None
        self._image_wh = (0, 0)

    def reset(self) -> None:
        """Forgets the last image."""
        self._gray = None

    def set_image(self, image_bgr: NDArray[np.uint8]) -> None:
        """Sets the image, uint8 (H, W, 3), from which the next `update` moves the faces."""
        self._image_wh, self._gray = _size_wh(image_bgr), self._working(image_bgr)

    def update(self, image_bgr: NDArray[np.uint8], faces: Sequence[Face]) -> list[Face] | None:
        """Moves the faces of the last image to this one, which becomes the last.

        Args:
            image_bgr: uint8 (H, W, 3).
            faces: of the last image, regions and landmarks in its pixels.

        Returns:
            The faces in the same order; None if the detector has to run: a face was lost, or there is no last image of
            the same size.
        """
        before = self._gray
        if before is None or _size_wh(image_bgr) != self._image_wh:
            return None
        now = self._gray = self._working(image_bgr)
        if not faces:
            return []
        scale = now.shape[1] / self._image_wh[0]
        grids = [_grid(face, scale) for face in faces]
        start = np.concatenate(grids).astype(np.float32)
        there, found = _flow(before, now, start)
        back, returned = _flow(now, before, there)
        kept = found & returned & (np.linalg.norm(back - start, axis=1) <= _MAX_BACKWARD_ERROR_PX)
        moved_faces = []
        for index, face in enumerate(faces):
            rows = slice(index * len(_POINTS), (index + 1) * len(_POINTS))
            moved = self._moved(face, start[rows] / scale, there[rows] / scale, kept[rows])
            if moved is None:
                return None
            moved_faces.append(moved)
        return moved_faces

    def _moved(
        self, face: Face, start: NDArray[np.float32], there: NDArray[np.float32], kept: NDArray[np.bool_]
    ) -> Face | None:
        """Returns a face, moved by the transform of its points in pixels of the image; None if they disagree."""
        if kept.mean() < _MIN_KEPT:
            return None
        transform, agree = cv2.estimateAffinePartial2D(start[kept], there[kept])
        if transform is None or agree.sum() < _MIN_KEPT * len(kept):
            return None
        growth = float(np.hypot(transform[0, 0], transform[1, 0]))
        if not _GROWTH[0] <= growth <= _GROWTH[1]:
            return None
        center = transform @ (*face.box.center_xy, 1.0)
        half = np.array((face.box.width, face.box.height)) * growth / 2
        box = clip_box((*(center - half).round(), *(center + half).round()), self._image_wh)
        if box is None:
            return None
        points = [Point(*map(float, transform @ (*point, 1.0))) for point in face.landmarks]
        return replace(face, box=box, landmarks=Landmarks(*points))

    def _working(self, image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        scale = self._size / max(image_bgr.shape[:2])
        small = (
            cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            if 0 < scale < 1
            else image_bgr
        )
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def _flow(
    before: NDArray[np.uint8], now: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Returns the positions of points (P, 2) of one image in the other, and bool (P), which of them were found."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, now, points, points.copy(), winSize=_WINDOW, maxLevel=_LEVELS)
    return np.asarray(there, np.float32), np.asarray(found)[:, 0].astype(bool)


def _grid(face: Face, scale: float) -> NDArray[np.float64]:
    """Returns points inside a face, float64 (P, 2), in pixels of the working image."""
    return (np.array(face.box.center_xy) + _POINTS * (face.box.width, face.box.height)) * scale


def _size_wh(image: NDArray[np.uint8]) -> tuple[int, int]:
    return image.shape[1], image.shape[0]
