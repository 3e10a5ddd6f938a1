# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import itertools

import numpy as np
import pytest

from emotion_perception.core.rendering.overlay_layout import Layout, Rectangle

IMAGE = (640, 480)
TAG, SHORT, PANEL = (160, 25), (40, 25), (150, 120)
FACE = Rectangle(200, 200, 300, 320)
WHOLE = Rectangle(0, 0, 640, 480)


def inside(place, image=IMAGE):
    return place.left >= 0 and place.right <= image[0] and place.top >= 0 and place.bottom <= image[1]


def tag_of(*faces, sizes=(TAG,), index=0):
    placed = Layout(faces, IMAGE).place_tag(index, sizes)
    return None if placed is None else placed[1]


def panel_of(*faces, index=0, image=IMAGE, size=PANEL):
    layout = Layout(faces, image)
    _, tag = layout.place_tag(index, [TAG])
    return layout.place_panel(index, tag, size)


@pytest.mark.parametrize(
    ("face", "expected"),
    [
        (FACE, Rectangle(200, 175, 360, 200)),  # above
        (Rectangle(200, 10, 300, 120), Rectangle(200, 120, 360, 145)),  # below, where above is no room
        (Rectangle(200, 0, 300, 480), Rectangle(300, 0, 460, 25)),  # beside, where below is none either
        (Rectangle(500, 0, 620, 480), Rectangle(340, 0, 500, 25)),
        (WHOLE, Rectangle(0, 0, 160, 25)),  # within its box, where the face fills the image
        (Rectangle(540, 200, 640, 320), Rectangle(480, 175, 640, 200)),  # moved into the image
    ],
)
def test_a_tag_is_above_its_face_where_there_is_room(face, expected):
    assert tag_of(face) == expected


def test_a_tag_within_a_face_is_at_most_an_eighth_of_its_height():
    layout = Layout([Rectangle(0, 0, 200, 200)], (200, 200))
    assert layout.place_tag(0, [(160, 26)]) is None
    assert layout.place_tag(0, [(160, 25)]) is not None


def test_a_tag_makes_way_for_a_neighbor():
    neighbor = Rectangle(305, 150, 400, 260)
    assert not tag_of(FACE, neighbor).shared_area(neighbor)


def test_a_tag_is_shortened_where_the_long_one_would_cover_a_neighbor():
    crowd = [FACE, Rectangle(310, 100, 400, 420), Rectangle(100, 100, 190, 420)]
    layout = Layout(crowd, IMAGE)
    form, place = layout.place_tag(0, [TAG, SHORT])
    assert form == 1
    assert not any(place.shared_area(face) for face in crowd)


def test_a_panel_stands_right_of_its_face_where_there_is_room():
    assert panel_of(FACE) == Rectangle(304, 200, 454, 320)


def test_a_panel_goes_left_where_the_image_ends():
    assert panel_of(Rectangle(500, 200, 600, 320)) == Rectangle(346, 200, 496, 320)


@pytest.mark.parametrize("size", [(641, 10), (10, 481)])
def test_a_panel_larger_than_the_image_is_left_out(size):
    assert panel_of(FACE, size=size) is None


def test_a_panel_without_room_is_left_out():
    faces = [Rectangle(x, y, x + 70, y + 70) for y in range(0, 480, 80) for x in range(0, 640, 80)]
    layout = Layout(faces, IMAGE)
    assert layout.place_panel(20, Rectangle(0, 0, 10, 10), PANEL) is None
    assert panel_of(WHOLE) is None


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ([FACE], (0, 455)),
        ([Rectangle(0, 400, 100, 480)], (480, 455)),
        ([Rectangle(0, 400, 640, 480)], (0, 0)),
        ([WHOLE], None),
    ],
)
def test_the_status_line_is_in_a_corner_without_a_face(faces, expected):
    place = Layout(faces, IMAGE).place_status(TAG)
    assert (None if place is None else place[:2]) == expected


@pytest.mark.guarantee(
    "In the overlay no label lies on another label or on the face that it names, from 320x240 to 1920x1080 and with "
    "up to 32 labeled faces; only a face that fills the image has its label within its box, at the upper edge and over "
    "at most an eighth of its height.",
    section="Overlay node",
)
@pytest.mark.parametrize("image", [(320, 240), (640, 480), (1920, 1080), (480, 640)])
@pytest.mark.parametrize("count", [1, 2, 8, 16, 32])
def test_labels_lie_inside_the_image_and_on_no_label_and_not_on_their_face(image, count):
    rng = np.random.default_rng(count)
    for _ in range(20):
        low = rng.integers(0, (image[0] - 20, image[1] - 24), (count, 2))
        side = rng.integers(20, max(24, image[1] // 2), count)
        high = np.minimum(low + np.stack((side, side * 12 // 10), axis=1), image)
        faces = [Rectangle(*map(int, box)) for box in np.concatenate((low, high), axis=1)]
        layout, cap = Layout(faces, image), max(8, min(image) // 40)
        placed = [layout.place_tag(index, [(12 * cap, 2 * cap), (6 * cap, 2 * cap)]) for index in range(count)]
        own = [(place[1], faces[index]) for index, place in enumerate(placed) if place is not None]
        status = layout.place_status((16 * cap, 2 * cap))
        panels = [
            (layout.place_panel(index, place[1], (14 * cap, 11 * cap)), faces[index])
            for index, place in enumerate(placed)
            if place is not None
        ]
        own += [(panel, face) for panel, face in panels if panel is not None]
        labels = [label for label, _ in own] + ([] if status is None else [status])
        assert all(inside(label, image) for label in labels)
        assert not any(a.shared_area(b) for a, b in itertools.combinations(labels, 2))
        for label, face in own:
            beside = face.left >= 6 * cap or face.right <= image[0] - 6 * cap
            beside = beside or face.top >= 2 * cap or face.bottom <= image[1] - 2 * cap
            if label.shared_area(face):
                assert not beside
                assert label.top == face.top
                assert label.bottom - label.top <= (face.bottom - face.top) / 8
