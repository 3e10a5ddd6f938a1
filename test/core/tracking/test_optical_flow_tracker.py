# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from emotion_perception.core.tracking.optical_flow_tracker import OpticalFlowTracker
from emotion_perception.core.types import Box, Face, Landmarks, Point

FACE = Face(
    Box(200, 140, 300, 260),
    0.9,
    Landmarks(right_eye=Point(230, 180), left_eye=Point(270, 180), nose=Point(250, 205)),
    track_id=7,
)


@pytest.fixture(scope="module")
def scene():
    """Returns a textured image, uint8 (480, 640, 3)."""
    noise = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    return cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC)


def moved(image, *, shift=(0, 0), zoom=1.0, degrees=0.0, around=(250, 200)):
    matrix = cv2.getRotationMatrix2D(around, degrees, zoom)
    matrix[:, 2] += shift
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def followed(*images, face=FACE, size=320):
    tracker, faces = OpticalFlowTracker(size), [face]
    tracker.set_image(images[0])
    for image in images[1:]:
        faces = tracker.update(image, faces)
    return faces


@pytest.mark.parametrize("size", [0, 320, 640, 2000])
def test_a_face_that_shifts_is_followed_with_its_landmarks(scene, size):
    (face,) = followed(scene, moved(scene, shift=(9, -5)), size=size)
    corners = face.box.x_min, face.box.y_min, face.box.x_max, face.box.y_max
    assert corners == pytest.approx((209, 135, 309, 255), abs=1)
    assert face.landmarks.right_eye == pytest.approx((239, 175), abs=1)
    assert (face.track_id, face.score) == (7, 0.9)
    assert not face.landmarks.left_mouth.known


def test_a_face_that_comes_nearer_grows(scene):
    (face,) = followed(scene, moved(scene, zoom=1.1))
    assert (face.box.width, face.box.height) == pytest.approx((110, 132), abs=2)


def test_a_face_that_turns_keeps_its_size_and_its_eyes(scene):
    (face,) = followed(scene, moved(scene, degrees=8))
    assert (face.box.width, face.box.height) == pytest.approx((100, 120), abs=2)
    angle = np.deg2rad(-8)  # of the image's axes: y points down
    expected = 250 + np.cos(angle) * -20 - np.sin(angle) * -20, 200 + np.sin(angle) * -20 + np.cos(angle) * -20
    assert face.landmarks.right_eye == pytest.approx(expected, abs=1)


def test_it_does_not_drift_over_ten_images(scene):
    (face,) = followed(*[moved(scene, shift=(3 * step, 2 * step)) for step in range(11)])
    assert face.box.center_xy == pytest.approx((280, 220), abs=2)


def test_each_of_two_faces_goes_its_own_way(scene):
    other = Face(Box(400, 140, 500, 260), 0.8, track_id=9)
    after = scene.copy()
    after[:, :350] = moved(scene, shift=(6, 0))[:, :350]
    after[:, 350:] = moved(scene, shift=(0, 6))[:, 350:]
    tracker = OpticalFlowTracker(320)
    tracker.set_image(scene)
    first, second = tracker.update(after, [FACE, other])
    assert first.box.center_xy == pytest.approx((256, 200), abs=1)
    assert second.box.center_xy == pytest.approx((450, 206), abs=1)


def test_nobody_is_followed_to_nobody(scene):
    tracker = OpticalFlowTracker(320)
    tracker.set_image(scene)
    assert tracker.update(scene, []) == []


@pytest.mark.parametrize("what", ["cut", "black", "gone"])
def test_a_face_that_is_lost_is_told(scene, what):
    after = {
        "cut": np.random.default_rng(2).integers(0, 256, scene.shape, dtype=np.uint8),
        "black": np.zeros_like(scene),
        "gone": moved(scene, shift=(300, 0)),
    }[what]
    assert followed(scene, after) is None


def test_a_image_of_another_size_is_looked_at_anew(scene):
    assert followed(scene, cv2.resize(scene, (320, 240))) is None


def test_without_a_last_image_nothing_is_followed(scene):
    tracker = OpticalFlowTracker(320)
    assert tracker.update(scene, [FACE]) is None
    tracker.set_image(scene)
    tracker.reset()
    assert tracker.update(scene, [FACE]) is None


def test_a_face_at_the_edge_stays_inside_the_image(scene):
    edge = Face(Box(0, 140, 60, 260), 0.9)
    (face,) = followed(scene, moved(scene, shift=(-8, 0)), face=edge)
    assert face.box.x_min == 0
    assert face.box.x_max == pytest.approx(52, abs=1)
