# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.rendering.overlay_layout import Rectangle, place_panel, place_tag

PICTURE = (640, 480)
TAG, PANEL = (160, 25), (150, 120)


def inside(place, image=PICTURE):
    return place.left >= 0 and place.right <= image[0] and place.top >= 0 and place.bottom <= image[1]


FACES = [
    Rectangle(200, 200, 300, 320),
    Rectangle(0, 0, 100, 120),
    Rectangle(540, 0, 640, 120),
    Rectangle(0, 360, 100, 480),
    Rectangle(540, 360, 640, 480),
    Rectangle(0, 0, 640, 480),
    Rectangle(150, 0, 490, 480),
]


@pytest.mark.parametrize("face", FACES)
def test_tag_and_panel_lie_inside_the_image_and_apart(face):
    tag = place_tag([face], 0, [], TAG, PICTURE)
    panel = place_panel([face], 0, [tag], PANEL, PICTURE)
    assert inside(tag)
    assert panel is not None
    assert inside(panel)
    assert not tag.shared_area(panel)


@pytest.mark.parametrize(
    ("face", "expected"),
    [
        (Rectangle(200, 200, 300, 320), Rectangle(200, 175, 360, 200)),  # above
        (Rectangle(200, 10, 300, 120), Rectangle(200, 120, 360, 145)),  # below, where above is no room
        (Rectangle(200, 0, 300, 480), Rectangle(200, 0, 360, 25)),  # inside, where the face fills the image
        (Rectangle(540, 200, 640, 320), Rectangle(480, 175, 640, 200)),  # moved inside
    ],
)
def test_a_tag_is_above_its_face_where_there_is_room(face, expected):
    assert place_tag([face], 0, [], TAG, PICTURE) == expected


def test_a_tag_makes_way_for_a_neighbor():
    faces = [Rectangle(200, 200, 300, 320), Rectangle(305, 150, 400, 260)]
    tag = place_tag(faces, 0, [], TAG, PICTURE)
    assert not tag.shared_area(faces[1])


def test_a_panel_stands_right_of_its_face_where_there_is_room():
    face, tag = Rectangle(200, 200, 300, 320), Rectangle(200, 175, 360, 200)
    assert place_panel([face], 0, [tag], PANEL, PICTURE) == Rectangle(304, 200, 454, 320)


def test_a_panel_goes_left_where_the_image_ends():
    face, tag = Rectangle(500, 200, 600, 320), Rectangle(480, 175, 640, 200)
    assert place_panel([face], 0, [tag], PANEL, PICTURE) == Rectangle(346, 200, 496, 320)


@pytest.mark.parametrize("size", [(641, 10), (10, 481)])
def test_a_panel_larger_than_the_image_is_left_out(size):
    face, tag = Rectangle(200, 200, 300, 320), Rectangle(200, 175, 360, 200)
    assert place_panel([face], 0, [tag], size, PICTURE) is None


def test_a_panel_without_room_is_left_out():
    faces = [Rectangle(x, y, x + 70, y + 70) for y in range(0, 480, 80) for x in range(0, 640, 80)]
    tags = [Rectangle(face.left, face.top, face.right, face.top + 10) for face in faces]
    assert place_panel(faces, 20, tags, PANEL, PICTURE) is None
