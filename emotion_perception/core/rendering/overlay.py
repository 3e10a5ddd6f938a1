# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Draws faces and emotions onto a copy of the image."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.images import clip_box, largest
from emotion_perception.core.rendering.options import OverlayOptions
from emotion_perception.core.rendering.overlay_layout import Layout, Rectangle
from emotion_perception.core.rendering.palette import DARK_TEXT, LIGHT_TEXT, bgr, label_color, text_color
from emotion_perception.core.types import Box, Face, FaceEmotion, Landmarks

Color = tuple[int, int, int]  # BGR

AXES: tuple[Color, ...] = ((60, 60, 255), (60, 220, 60), (255, 120, 60))
"""Colors of the axes of a head: to the person's left, down, and where the face points."""

MAX_LABELED_FACES = 32  # the time to place tags and panels grows with the square of their number
_MAX_BARS = 64
_LONGEST_LABEL = 24  # characters that are drawn

_DARK, _LIGHT = bgr(DARK_TEXT), bgr(LIGHT_TEXT)
_LABEL: Color = (200, 200, 200)
_EMPTY_BAR: Color = (80, 80, 80)  # not darker than the darkened image
_AXIS_LENGTH = 0.5  # widths of the box
_DARKENED = 0.3
_FONT = cv2.FONT_HERSHEY_DUPLEX
_FONT_CAP_HEIGHT = 21.0  # pixels of a capital letter at font scale 1


@dataclass(frozen=True)
class Style:
    """Sizes in pixels of the drawing, for one image size.

    Attributes:
        line: width of a box's line.
        tag_cap: height of a capital letter in the tag above a box.
        bar_cap: height of a capital letter beside a bar.
    """

    line: int
    tag_cap: int
    bar_cap: int

    @classmethod
    def for_image(cls, width: int, height: int) -> "Style":
        """Returns sizes that are legible from 320x240 on."""
        side = min(width, height)
        return cls(line=max(1, round(side / 240)), tag_cap=max(8, round(side / 40)), bar_cap=max(7, round(side / 50)))


def draw_overlay(
    image_bgr: NDArray[np.uint8],
    emotions: Sequence[FaceEmotion],
    labels: Sequence[str],
    options: OverlayOptions,
    *,
    status: str = "",
) -> NDArray[np.uint8]:
    """Draws the box of every face, and track id, label and score of the largest `MAX_LABELED_FACES`.

    No label lies on another one, or on the face that it names: see `Layout`. Where there is little room, a tag is
    shortened to the label or to the track id.

    Args:
        image_bgr: uint8 (H, W, 3); not changed.
        emotions: faces and their emotions; a face outside the image is not drawn.
        labels: label of each entry of `smoothed_probabilities`.
        options: what is drawn: the bars only where there is room and not for more than 64 labels, the landmarks and
            head poses that are known. Faces are not anonymized here, see `FaceAnonymizer`.
        status: a line for a corner of the image, see `status_line`; left out where every
            corner has a face or a tag.

    Returns:
        A new uint8 (H, W, 3). An uncertain face is gray and its label ends in a question mark.
    """
    canvas = image_bgr.copy()
    height, width = canvas.shape[:2]
    style = Style.for_image(width, height)
    drawn = [(emotion, box) for emotion in emotions if (box := _visible(emotion.face.box, width, height))]
    for emotion, box in drawn:
        _draw_box(canvas, box, color_of(emotion), style)
        if options.draw_landmarks:
            _draw_landmarks(canvas, emotion.face.landmarks, style)
        if options.draw_head_pose and emotion.face.head_pose.known:
            _draw_head_pose(canvas, emotion.face, box, style)
    labeled = largest(drawn, MAX_LABELED_FACES, lambda pair: pair[1])
    layout = Layout([Rectangle.of_box(box) for _, box in labeled], (width, height))
    tags: dict[int, Rectangle] = {}
    for index, (emotion, _) in enumerate(labeled):
        texts = captions(emotion)
        placed = layout.place_tag(index, [_tag_size(text, style.tag_cap) for text in texts])
        if placed is not None:
            tags[index] = placed[1]
            _draw_tag(canvas, placed[1], texts[placed[0]], emotion, style)
    if status and (line := layout.place_status(_tag_size(status, style.bar_cap))) is not None:
        _draw_status(canvas, line, status, style)
    if not options.draw_bars or len(labels) > _MAX_BARS:
        return canvas
    size = _panel_size(tuple(labels), style)
    for index, tag in tags.items():
        emotion = labeled[index][0]
        if len(emotion.smoothed_probabilities) and (panel := layout.place_panel(index, tag, size)) is not None:
            _draw_bars(canvas, panel, emotion, labels, style)
    return canvas


def status_line(rate_hz: float, age_ms: float, dropped: int) -> str:
    """Returns the text of a stream's state, e.g. `29.9 Hz, 38 ms old, 12 dropped`.

    Args:
        rate_hz: overlays per second; left out if it is 0, as before the second one.
        age_ms: time since the stamp of the image.
        dropped: number of images that were dropped so far.
    """
    age = f"{age_ms:.0f} ms" if abs(age_ms) < 10_000 else f"{age_ms / 1e3:.0f} s"
    return f"{f'{rate_hz:.1f} Hz, ' if rate_hz else ''}{age} old, {dropped} dropped"


def color_of(emotion: FaceEmotion) -> Color:
    """Returns the color of a face, BGR: that of its label, or gray if the prediction is uncertain."""
    return bgr(label_color(emotion.label, uncertain=emotion.uncertain))


def caption(emotion: FaceEmotion) -> str:
    """Returns the text of a face's tag, e.g. `#3 happiness 87%`, or `#3` where there is no prediction yet."""
    if not emotion.label:
        return f"#{emotion.face.track_id}" if emotion.face.track_id else "?"
    track = f"#{emotion.face.track_id} " if emotion.face.track_id else ""
    return f"{track}{_shown(emotion.label)}{'?' if emotion.uncertain else ''} {_scaled(emotion.score, 100)}%"


def captions(emotion: FaceEmotion) -> list[str]:
    """Returns the texts of a face's tag, the longest first."""
    label = f"{_shown(emotion.label)}{'?' if emotion.uncertain else ''}" if emotion.label else ""
    track = f"#{emotion.face.track_id}" if emotion.face.track_id else ""
    return [caption(emotion), *(text for text in (label, track) if text)]


def _draw_box(canvas: NDArray[np.uint8], box: Box, color: Color, style: Style) -> None:
    corners = (box.x_min, box.y_min), (box.x_max - 1, box.y_max - 1)
    cv2.rectangle(canvas, *corners, _DARK, style.line + 2)
    cv2.rectangle(canvas, *corners, color, style.line)


def _draw_landmarks(canvas: NDArray[np.uint8], landmarks: Landmarks, style: Style) -> None:
    height, width = canvas.shape[:2]
    for x, y in landmarks:
        if 0 <= x < width and 0 <= y < height:  # False for NaN too
            cv2.circle(canvas, (int(x), int(y)), style.line + 2, _DARK, cv2.FILLED, cv2.LINE_AA)
            cv2.circle(canvas, (int(x), int(y)), style.line + 1, _LIGHT, cv2.FILLED, cv2.LINE_AA)


def _draw_head_pose(canvas: NDArray[np.uint8], face: Face, box: Box, style: Style) -> None:
    """Draws the axes of a head from the nose, without it from the middle of the box, in parallel projection."""
    nose = face.landmarks.nose
    x, y = nose if clip_box((nose.x, nose.y, nose.x + 1, nose.y + 1), canvas.shape[1::-1]) else box.center_xy
    axes = face.head_pose.rotation() * (1.0, 1.0, -1.0) * (_AXIS_LENGTH * box.width)
    start = round(x), round(y)
    for color, (dx, dy, _) in zip(AXES, axes.T.tolist(), strict=True):
        end = round(x + dx), round(y + dy)
        cv2.line(canvas, start, end, _DARK, style.line + 2, cv2.LINE_AA)
        cv2.line(canvas, start, end, color, style.line + 1, cv2.LINE_AA)


def _draw_tag(canvas: NDArray[np.uint8], tag: Rectangle, text: str, emotion: FaceEmotion, style: Style) -> None:
    """Draws the text on a colored background."""
    color = label_color(emotion.label, uncertain=emotion.uncertain)
    pad = _tag_pad(style.tag_cap)
    cv2.rectangle(canvas, (tag.left, tag.top), (tag.right - 1, tag.bottom - 1), bgr(color), cv2.FILLED)
    _write(canvas, text, (tag.left + pad, tag.bottom - pad), style.tag_cap, bgr(text_color(color)))


def _draw_status(canvas: NDArray[np.uint8], line: Rectangle, text: str, style: Style) -> None:
    """Draws light text on darkened pixels."""
    _darken(canvas[line.top : line.bottom, line.left : line.right])
    pad = _tag_pad(style.bar_cap)
    _write(canvas, text, (line.left + pad, line.bottom - pad), style.bar_cap, _LIGHT)


def _draw_bars(
    canvas: NDArray[np.uint8], panel: Rectangle, emotion: FaceEmotion, labels: Sequence[str], style: Style
) -> None:
    ground = canvas[panel.top : panel.bottom, panel.left : panel.right]
    empty = _empty_bars(tuple(labels), style)
    np.maximum(cv2.convertScaleAbs(ground, alpha=_DARKENED), empty, out=ground)
    ground[:, : style.line + 1] = color_of(emotion)
    cap, pad = style.bar_cap, style.bar_cap // 2
    bar_left, length = _bar_span(tuple(labels), style)
    for row, (label, share) in enumerate(zip(labels, emotion.smoothed_probabilities.tolist(), strict=True)):
        bottom = _bar_bottom(row, style)
        first = label == emotion.label
        if first:
            _write(ground, _shown(label), (pad, bottom), cap, _LIGHT)
        if filled := _scaled(share, length):
            color = color_of(emotion) if first else _shade(bgr(label_color(label)))
            cv2.rectangle(ground, (bar_left, bottom - cap), (bar_left + filled - 1, bottom), color, cv2.FILLED)


@functools.lru_cache(maxsize=16)
def _empty_bars(labels: tuple[str, ...], style: Style) -> NDArray[np.uint8]:
    """Returns labels and empty bars on black, uint8 (h, w, 3); they are the same for every face."""
    width, height = _panel_size(labels, style)
    panel = np.zeros((height, width, 3), np.uint8)
    bar_left, length = _bar_span(labels, style)
    for row, label in enumerate(labels):
        bottom = _bar_bottom(row, style)
        _write(panel, _shown(label), (style.bar_cap // 2, bottom), style.bar_cap, _LABEL)
        end = bar_left + length - 1, bottom
        cv2.rectangle(panel, (bar_left, bottom - style.bar_cap), end, _EMPTY_BAR, cv2.FILLED)
    return panel


def _bar_span(labels: tuple[str, ...], style: Style) -> tuple[int, int]:
    """Returns the left edge of the bars in their panel, and their length."""
    pad = style.bar_cap // 2
    left = pad + _widest(labels, style.bar_cap) + pad
    return left, _panel_size(labels, style)[0] - pad - left


def _bar_bottom(row: int, style: Style) -> int:
    pad = style.bar_cap // 2
    return pad + row * _row_height(style) + style.bar_cap + pad // 2


def _darken(region: NDArray[np.uint8]) -> None:
    region[:] = cv2.convertScaleAbs(region, alpha=_DARKENED)


def _tag_size(text: str, cap: int) -> tuple[int, int]:
    pad = _tag_pad(cap)
    return _text_width(text, cap) + 2 * pad, cap + 2 * pad


def _tag_pad(cap: int) -> int:
    return max(3, cap // 2)


def _panel_size(labels: tuple[str, ...], style: Style) -> tuple[int, int]:
    pad = style.bar_cap // 2
    width = _widest(labels, style.bar_cap) + 6 * style.bar_cap + 3 * pad
    return width, len(labels) * _row_height(style) + 2 * pad


def _row_height(style: Style) -> int:
    return style.bar_cap + max(4, round(style.bar_cap * 0.6))


def _write(canvas: NDArray[np.uint8], text: str, left_bottom: tuple[int, int], cap: int, color: Color) -> None:
    thickness = max(1, round(cap / 14))
    cv2.putText(canvas, text, left_bottom, _FONT, cap / _FONT_CAP_HEIGHT, color, thickness, cv2.LINE_AA)


def _text_width(text: str, cap: int) -> int:
    return cv2.getTextSize(text, _FONT, cap / _FONT_CAP_HEIGHT, max(1, round(cap / 14)))[0][0]


@functools.lru_cache(maxsize=16)
def _widest(labels: tuple[str, ...], cap: int) -> int:
    return max((_text_width(_shown(label), cap) for label in labels), default=0)


def _shown(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 3] + "..."


def _visible(box: Box, width: int, height: int) -> Box | None:
    return clip_box(box.xyxy, (width, height))


def _scaled(share: float, of: int) -> int:
    """Returns a share of 0..1 multiplied by `of` and rounded; 0 for NaN and infinity."""
    return round(min(max(share, 0.0), 1.0) * of) if math.isfinite(share) else 0


def _shade(color: Color) -> Color:
    return color[0] * 7 // 10, color[1] * 7 // 10, color[2] * 7 // 10
