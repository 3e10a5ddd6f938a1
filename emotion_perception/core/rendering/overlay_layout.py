# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Placement of tags and panels: inside the image, and beside faces rather than on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from emotion_perception.core.types import Box

_GAP = 4  # pixels between a box and its panel
_COVERED_OF_OTHERS = 0.05  # share of a panel that may lie on other faces
_COVERED_OF_OWN = 0.3  # share of its own face that a panel may cover, where that fills the image


@dataclass(frozen=True)
class Rectangle:
    """A rectangle in pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of_box(cls, box: Box) -> "Rectangle":
        """Returns a face's rectangle."""
        return cls(*box.xyxy)

    def widened(self, by: int) -> "Rectangle":
        """Returns the rectangle with `by` more pixels on each side."""
        return Rectangle(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def shared_area(self, other: "Rectangle") -> int:
        """Returns the number of pixels in both."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)


def place_tag(
    faces: Sequence[Rectangle],
    index: int,
    blocked: Sequence[Rectangle],
    size: tuple[int, int],
    image_wh: tuple[int, int],
) -> Rectangle:
    """Returns the place of a tag, above or below its face, whichever covers less; inside a face that fills the image.

    Args:
        faces: all faces.
        index: which of `faces` the tag belongs to.
        blocked: tags that are already placed.
        size: width and height of the tag.
        image_wh: width and height of the image; a larger tag starts at its edge.
    """
    width, height = size
    face = faces[index]
    lefts = face.left, face.right - width
    tops = [top for top in (face.top - height, face.bottom) if 0 <= top <= image_wh[1] - height] or [face.top]
    places = [_inside(left, top, size, image_wh) for top in tops for left in lefts]
    others = [other for position, other in enumerate(faces) if position != index]
    # of equal ones the first: above, left-aligned
    return min(places, key=lambda place: _cover(place, [*others, *blocked]))


def place_panel(
    faces: Sequence[Rectangle],
    index: int,
    blocked: Sequence[Rectangle],
    size: tuple[int, int],
    image_wh: tuple[int, int],
) -> Rectangle | None:
    """Returns the place around a face where a panel covers the least of all faces.

    Args:
        faces: all faces.
        index: which of `faces` the panel belongs to.
        blocked: the tag of each face, then the panels that are already placed; never covered.
        size: width and height of the panel.
        image_wh: width and height of the image.

    Returns:
        The place, or None if every place would hide faces.
    """
    width, height = size
    if width > image_wh[0] or height > image_wh[1]:
        return None
    own, others = faces[index], [face for position, face in enumerate(faces) if position != index]
    tag_height = blocked[index].bottom - blocked[index].top
    places = [_inside(left, top, size, image_wh) for left, top in _around(own, size, tag_height)]
    near = own.widened(tag_height + 2 * _GAP)  # farther away the panel could not be assigned to its face
    allowed = [
        place
        for place in places
        if near.shared_area(place)
        and not _cover(place, blocked)
        and _cover(place, others) <= _COVERED_OF_OTHERS * width * height
        and place.shared_area(own) <= _COVERED_OF_OWN * own.shared_area(own)
    ]
    return min(allowed, key=lambda place: _cover(place, faces), default=None)


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


def _cover(place: Rectangle, others: Sequence[Rectangle]) -> int:
    return sum(place.shared_area(other) for other in others)


def _inside(left: int, top: int, size: tuple[int, int], image_wh: tuple[int, int]) -> Rectangle:
    """Moves a rectangle into the image."""
    left = max(0, min(left, image_wh[0] - size[0]))
    top = max(0, min(top, image_wh[1] - size[1]))
    return Rectangle(left, top, left + size[0], top + size[1])
