"""Where tags and panels go: inside the picture, and beside faces rather than on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from emotion_perception.core.types import Box

_GAP = 4  # pixels between a box and its panel
_TOLERATED_COVER = 0.1  # of a panel may lie on another face, tag or panel; else it is left out


@dataclass(frozen=True)
class Rectangle:
    """Pixels from left and top up to, but without, right and bottom."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of_box(cls, box: Box) -> "Rectangle":
        """Returns a face's rectangle."""
        return cls(box.x_min, box.y_min, box.x_max, box.y_max)

    def shared_area(self, other: "Rectangle") -> int:
        """Returns how many pixels both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)


def place_tag(box: Box, size: tuple[int, int], line: int, picture_wh: tuple[int, int]) -> Rectangle:
    """Returns the place of a tag: above the box, or inside at its top where the picture ends.

    A tag wider or higher than the picture begins at its edge.
    """
    width, height = size
    above = box.y_min - height - line // 2
    top = above if above >= 0 else box.y_min + line
    return _inside(box.x_min - line // 2, top, size, picture_wh)


def place_panel(
    taken: Sequence[Rectangle], index: int, size: tuple[int, int], picture_wh: tuple[int, int]
) -> Rectangle | None:
    """Returns the place beside, below or above a face where a panel covers least.

    Args:
        taken: all faces first, then tags and panels that are placed already.
        index: which of `taken` is the face.
        size: width and height of the panel.
        picture_wh: width and height of the picture.

    Returns:
        The place, or None where the panel does not fit or would cover others. It may cover its own face, which fills
        the picture then.
    """
    width, height = size
    if width > picture_wh[0] or height > picture_wh[1]:
        return None
    face = taken[index]
    corners = (
        (face.right + _GAP, face.top),
        (face.left - _GAP - width, face.top),
        (face.left, face.bottom + _GAP),
        (face.left, face.top - _GAP - height),
    )
    places = [_inside(left, top, size, picture_wh) for left, top in corners]
    others = [rectangle for position, rectangle in enumerate(taken) if position != index]
    covers = [(_cover(place, others), place.shared_area(face)) for place in places]
    best = min(range(len(places)), key=lambda number: sum(covers[number]))
    return places[best] if covers[best][0] <= _TOLERATED_COVER * width * height else None


def _cover(place: Rectangle, others: Sequence[Rectangle]) -> int:
    return sum(place.shared_area(other) for other in others)


def _inside(left: int, top: int, size: tuple[int, int], picture_wh: tuple[int, int]) -> Rectangle:
    """Moves a rectangle into the picture."""
    left = max(0, min(left, picture_wh[0] - size[0]))
    top = max(0, min(top, picture_wh[1] - size[1]))
    return Rectangle(left, top, left + size[0], top + size[1])
