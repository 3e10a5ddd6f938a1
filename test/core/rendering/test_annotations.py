# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from emotion_perception.core.rendering import (
    EMOTION_COLORS,
    OTHER_COLOR,
    UNCERTAIN_COLOR,
    ImageAnnotationsBuilder,
    rgb_fractions,
    text_color,
)
from emotion_perception.core.types import Box, Face, FaceEmotion

HEADER = SimpleNamespace(stamp=SimpleNamespace(sec=7, nanosec=8), frame_id="cam")


def emotion(box, label="happiness", *, uncertain=False):
    row = np.array([0.75, 0.25], np.float32)
    return FaceEmotion(Face(Box(*box), 0.9, track_id=3), label, 0.75, uncertain, row, row)


def build(*emotions, optional=None):
    """Returns annotations made of plain objects; `optional` are fields that the type of the message has beside."""

    def types(name):
        return partial(SimpleNamespace, kind=name, **(optional or {} if name.endswith("ImageAnnotations") else {}))

    return ImageAnnotationsBuilder(types).build(HEADER, emotions)


def rgba(color):
    return color.r, color.g, color.b, color.a


def xy(point):
    return point.x, point.y


def test_a_face_has_an_outline_and_a_caption_with_the_stamp_of_its_image():
    message = build(emotion((100, 60, 180, 160)))
    assert message.kind == "foxglove_msgs/msg/ImageAnnotations"
    ((outline,), (text,), circles) = message.points, message.texts, message.circles
    assert circles == []
    assert outline.timestamp == text.timestamp == HEADER.stamp
    assert outline.type == 2  # LINE_LOOP
    assert [xy(point) for point in outline.points] == [(100, 60), (180, 60), (180, 160), (100, 160)]
    assert text.text == "#3 happiness 75%"
    assert xy(text.position) == (100, 60)  # its lower left corner: the caption stands above the face
    assert rgba(outline.fill_color)[3] == 0.0
    assert not hasattr(message, "timestamp")


def test_later_versions_of_the_message_have_the_stamp_too():
    assert build(emotion((100, 60, 180, 160)), optional={"timestamp": None}).timestamp == HEADER.stamp


@pytest.mark.parametrize(
    ("label", "uncertain", "color"),
    [
        *((label, False, color) for label, color in EMOTION_COLORS.items()),
        ("happiness", True, UNCERTAIN_COLOR),
        ("boredom", False, OTHER_COLOR),
    ],
)
def test_the_colors_are_those_of_the_overlay_and_so_is_the_text_on_them(label, uncertain, color):
    message = build(emotion((100, 60, 180, 160), label, uncertain=uncertain))
    (outline,), (text,) = message.points, message.texts
    assert rgba(outline.outline_color) == rgba(text.background_color) == (*rgb_fractions(color), 1.0)
    assert rgba(text.text_color) == (*rgb_fractions(text_color(color)), 1.0)


@pytest.mark.parametrize("box", [(100, 0, 180, 100), (100, 15, 180, 100)])
def test_at_the_upper_edge_the_caption_stands_below_the_face(box):
    (text,) = build(emotion(box)).texts
    assert text.position.y - 1.5 * text.font_size >= 100


@pytest.mark.parametrize(("width", "font_px"), [(20, 6), (160, 20), (1000, 36)])
def test_the_caption_grows_with_the_face_within_limits(width, font_px):
    (text,) = build(emotion((0, 200, width, 200 + width))).texts
    assert text.font_size == font_px


def test_an_image_without_faces_has_one_invisible_annotation_with_its_stamp():
    message = build()
    assert (message.texts, message.circles) == ([], [])
    (outline,) = message.points
    assert (outline.points, outline.timestamp) == ([], HEADER.stamp)
