# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builds `foxglove_msgs/ImageAnnotations`: outline and caption of each face, which a viewer draws onto the image."""

from collections.abc import Iterable
from typing import Any

from emotion_perception.core.message_adapters import TypeLookup
from emotion_perception.core.rendering.overlay import caption
from emotion_perception.core.rendering.palette import label_color, rgb_fractions, text_color
from emotion_perception.core.types import Box, FaceEmotion

_TYPES = "foxglove_msgs/msg/"
_LINE_LOOP = 2  # PointsAnnotation.LINE_LOOP
_SMALLEST_FONT_PX, _LARGEST_FONT_PX = 6.0, 36.0


class ImageAnnotationsBuilder:
    """Builds `ImageAnnotations` with the classes of any library.

    The message has no header. Every annotation carries the stamp of the image instead, by which viewers find the image
    that it belongs to.

    Args:
        types: finds the message types of the library; a field that later versions of the package have is set where the
            library's type has it.
    """

    def __init__(self, types: TypeLookup) -> None:
        self._message, self._points = types(f"{_TYPES}ImageAnnotations"), types(f"{_TYPES}PointsAnnotation")
        self._text, self._color = types(f"{_TYPES}TextAnnotation"), types(f"{_TYPES}Color")
        self._point = types(f"{_TYPES}Point2")

    def build(self, header: Any, emotions: Iterable[FaceEmotion]) -> Any:
        """Builds the annotations of one image.

        Args:
            header: of the source image, a message of the same library; its stamp is copied.
            emotions: of the faces in the image. Without faces the message has one outline without points: a viewer
                that synchronizes images and annotations would otherwise not show the image.
        """
        points, texts = [], []
        for emotion in emotions:
            ground = label_color(emotion.label, uncertain=emotion.uncertain)
            color, box = self._build_color(ground), emotion.face.box
            points.append(self._build_outline(header.stamp, _corners(box), color, max(2.0, box.width / 60)))
            texts.append(self._build_caption(header.stamp, emotion, color, self._build_color(text_color(ground))))
        if not points:
            points.append(self._build_outline(header.stamp, (), self._build_color(None), 1.0))
        message = self._message(circles=[], points=points, texts=texts)
        if hasattr(message, "timestamp"):  # in versions of foxglove_msgs after 3.4.3
            message.timestamp = header.stamp
        return message

    def _build_outline(self, stamp: Any, corners: Iterable[tuple[int, int]], color: Any, thickness: float) -> Any:
        return self._points(
            timestamp=stamp,
            type=_LINE_LOOP,
            points=[self._point(x=float(x), y=float(y)) for x, y in corners],
            outline_color=color,
            outline_colors=[],
            fill_color=self._build_color(None),
            thickness=thickness,
        )

    def _build_caption(self, stamp: Any, emotion: FaceEmotion, ground: Any, color: Any) -> Any:
        box = emotion.face.box
        font_px = min(max(box.width / 8, _SMALLEST_FONT_PX), _LARGEST_FONT_PX)
        fits_above = box.y_min >= 2 * font_px  # text and its padding
        return self._text(
            timestamp=stamp,
            position=self._point(x=float(box.x_min), y=float(box.y_min if fits_above else box.y_max + 2 * font_px)),
            text=caption(emotion),
            font_size=font_px,
            text_color=color,
            background_color=ground,
        )

    def _build_color(self, color: str | None) -> Any:
        """Returns a `Color` of `#RRGGBB`; None is transparent."""
        red, green, blue = (0.0, 0.0, 0.0) if color is None else rgb_fractions(color)
        return self._color(r=red, g=green, b=blue, a=float(color is not None))


def _corners(box: Box) -> tuple[tuple[int, int], ...]:
    return (box.x_min, box.y_min), (box.x_max, box.y_min), (box.x_max, box.y_max), (box.x_min, box.y_max)
