# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Placement of labels: inside the image, beside the face that they name, and never on each other."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.types import Box

_GAP = 4  # pixels between a box and its panel
_COVERED_OF_OTHERS = 0.05  # share of a label that may lie on other faces
_INSIDE_HEIGHT = 1 / 8  # of a face that fills the image, for a tag that has no place beside it


class Rectangle(NamedTuple):
    """A rectangle in pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of_box(cls, box: Box) -> "Rectangle":
        """Returns a face's rectangle."""
        return cls(*box.xyxy)

    def shared_area(self, other: "Rectangle") -> int:
        """Returns the number of pixels in both."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)


class Layout:
    """Places the labels of one image: each takes the room of the next ones.

    Args:
        faces: all faces.
        image_wh: width and height of the image.
    """

    def __init__(self, faces: Sequence[Rectangle], image_wh: tuple[int, int]) -> None:
        self._faces = np.array(faces, np.int64).reshape(-1, 4)  # (N, 4)
        self._taken = np.empty((0, 4), np.int64)  # labels that are placed
        self._width, self._height = image_wh

    def place_status(self, size: tuple[int, int]) -> Rectangle | None:
        """Returns the corner of the image where a line covers no face, the lower left one first; None if none does."""
        width, height = size
        right, bottom = self._width - width, self._height - height
        corners = [(0, bottom), (right, bottom), (0, 0), (right, 0)]
        places = self._free([place for place in corners if min(place) >= 0], size)
        places = places[_covers(places, self._faces) == 0]
        return self._take(places[0]) if len(places) else None

    def place_tag(self, index: int, sizes: Sequence[tuple[int, int]]) -> tuple[int, Rectangle] | None:
        """Returns which of several forms of a tag has room beside its face, and its place; None if none has.

        It is the first form that touches the face and covers hardly anything of other faces, else the first that does
        so one row farther away, else the last one, where it covers the least of them. Other labels are never covered:
        where they leave no place, there is none. Only where a face fills the
        image, so that nothing fits beside it, the tag is within its box, at the upper edge and not higher than an
        eighth of the face.

        Args:
            index: which of the faces the tag belongs to.
            sizes: width and height of each form, the preferred one first.
        """
        last: tuple[int, NDArray[np.int64]] | None = None
        for rows_away in (0, 1):
            for form, size in enumerate(sizes):
                places = self._free(self._beside(index, size, rows_away), size)
                if not len(places):
                    continue
                covered = self._covered_of_others(places, index)
                best = int(covered.argmin())  # of equal ones the first: above, left-aligned
                if covered[best] <= _COVERED_OF_OTHERS * size[0] * size[1]:
                    return form, self._take(places[best])
                last = form, places[best]
        if last is not None:
            return last[0], self._take(last[1])
        fills_the_image = not any(self._beside(index, size, 0) for size in sizes)
        return self._place_inside(index, sizes) if fills_the_image else None

    def place_panel(self, index: int, tag: Rectangle, size: tuple[int, int]) -> Rectangle | None:
        """Returns the place around a face where a panel covers the least of all other faces; None if none is left.

        Args:
            index: which of the faces the panel belongs to.
            tag: the face's tag, which may stand between face and panel.
            size: width and height of the panel.
        """
        face, tag_height = self._face(index), tag.bottom - tag.top
        places = self._free(_around(face, size, tag_height), size)
        reach = tag_height + 2 * _GAP  # farther away the panel could not be assigned to its face
        near = np.array([(face.left - reach, face.top - reach, face.right + reach, face.bottom + reach)])
        places = places[(_covers(places, near) > 0) & (_covers(places, self._faces[[index]]) == 0)]
        covered = self._covered_of_others(places, index)
        if not len(places) or covered.min() > _COVERED_OF_OTHERS * size[0] * size[1]:
            return None
        return self._take(places[int(covered.argmin())])

    def _place_inside(self, index: int, sizes: Sequence[tuple[int, int]]) -> tuple[int, Rectangle] | None:
        face = self._face(index)
        for form, size in enumerate(sizes):
            places = self._free([(face.left, face.top), (face.right - size[0], face.top)], size)
            if len(places) and size[1] <= _INSIDE_HEIGHT * (face.bottom - face.top):
                return form, self._take(places[0])
        return None

    def _face(self, index: int) -> Rectangle:
        return Rectangle(*self._faces[index].tolist())

    def _beside(self, index: int, size: tuple[int, int], rows_away: int) -> list[tuple[int, int]]:
        """Returns upper left corners of a tag above, below and beside its face, in order of preference."""
        width, height = size
        face, right, bottom = self._face(index), self._width - width, self._height - height
        lefts = [min(max(left, 0), right) for left in (face.left, face.right - width)]
        rows = (face.top - height * (1 + rows_away), face.bottom + height * rows_away)
        places = [(left, top) for top in rows if 0 <= top <= bottom for left in lefts]
        if not rows_away:
            tops = [min(max(top, 0), bottom) for top in (face.top, face.bottom - height)]
            places += [(left, top) for left in (face.right, face.left - width) if 0 <= left <= right for top in tops]
        return places

    def _free(self, corners: Sequence[tuple[int, int]], size: tuple[int, int]) -> NDArray[np.int64]:
        """Returns the places (K, 4) of a label at some corners, moved into the image, that lie on no other label."""
        if not corners or size[0] > self._width or size[1] > self._height:
            return np.empty((0, 4), np.int64)
        low = np.clip(np.array(corners, np.int64), 0, (self._width - size[0], self._height - size[1]))
        places = np.concatenate((low, low + size), axis=1)
        return places[_covers(places, self._taken) == 0]

    def _covered_of_others(self, places: NDArray[np.int64], index: int) -> NDArray[np.int64]:
        return _covers(places, self._faces) - _covers(places, self._faces[[index]])

    def _take(self, place: NDArray[np.int64]) -> Rectangle:
        self._taken = np.concatenate((self._taken, place[None]))
        return Rectangle(*place.tolist())


def _around(face: Rectangle, size: tuple[int, int], tag_height: int) -> list[tuple[int, int]]:
    """Returns upper left corners beside, below and above a face, in order of preference."""
    width, height = size
    tops = face.top, face.bottom - height, (face.top + face.bottom - height) // 2
    middle = (face.left + face.right) // 2
    lefts = face.left, face.right - width, middle, middle - width
    right, left = face.right + _GAP, face.left - _GAP - width
    below, above = face.bottom + _GAP, face.top - _GAP - height
    beside = [(x, y) for x in (right, left) for y in tops]
    return beside + [(x, y) for y in (below, below + tag_height, above, above - tag_height) for x in lefts]


def _covers(places: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns how many pixels of each place (K, 4) lie on other rectangles (M, 4), as int64 (K)."""
    shared = np.minimum(places[:, None, 2:], others[None, :, 2:]) - np.maximum(places[:, None, :2], others[None, :, :2])
    covered: NDArray[np.int64] = np.maximum(shared, 0).prod(axis=2).sum(axis=1)
    return covered
