# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from emotion_perception.core.tracking.scene_change import SceneChange

KNOWN = np.array([260.0, 100.0, 340.0, 200.0])


@pytest.fixture(scope="module")
def room():
    noise = np.random.default_rng(1).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC)


def changed(before, now):
    change = SceneChange()
    change.changed(before, [])
    change.set_reference([KNOWN])
    return change.changed(now, [KNOWN])


def with_patch(image, x_min, y_min, side):
    image = image.copy()
    image[y_min : y_min + side, x_min : x_min + side] = 255 - image[y_min : y_min + side, x_min : x_min + side]
    return image


@pytest.mark.parametrize(
    ("x_min", "y_min", "side", "expected"),
    [(40, 60, 40, True), (560, 300, 80, True), (40, 60, 8, False), (280, 130, 50, False), (250, 350, 100, False)],
    ids=["a small face", "a face", "a dot", "in the known face", "its body"],
)
def test_only_a_change_beside_known_faces_counts(room, x_min, y_min, side, expected):
    assert changed(room, with_patch(room, x_min, y_min, side)) is expected


def test_noise_is_no_change_and_light_is_one(room):
    noisy = np.clip(room + np.random.default_rng(2).normal(0, 4, room.shape), 0, 255).astype(np.uint8)
    assert not changed(room, noisy)
    assert changed(room, room // 3)


def test_an_image_without_reference_or_of_another_size_has_changed(room):
    assert SceneChange().changed(room, [])
    assert changed(room, room[:, :320])
