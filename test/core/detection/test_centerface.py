# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.detection.centerface import decode, network_input


def maps(height=8, width=16):
    return (
        np.zeros((height, width), np.float32),
        np.zeros((2, height, width), np.float32),
        np.zeros((2, height, width), np.float32),
        np.zeros((10, height, width), np.float32),
    )


def test_a_cell_becomes_a_box_around_its_center():
    heat, size, offset, landmarks = maps()
    heat[3, 5] = 0.8
    size[:, 3, 5] = np.log(4), np.log(2)  # 16 pixels high, 8 wide
    offset[:, 3, 5] = 0.25, -0.25  # down, left, in cells
    landmarks[:, 3, 5] = [0.25, 0.25, 0.25, 0.75, 0.5, 0.5, 0.75, 0.25, 0.75, 0.75]  # y, x of each point
    found = decode(heat, size, offset, landmarks)
    assert found.xyxy[0] == pytest.approx([17, 7, 25, 23])
    assert found.scores.tolist() == pytest.approx([0.8])
    assert found.landmarks_xy[0] == pytest.approx(np.array([[19, 11], [23, 11], [21, 15], [19, 19], [23, 19]]))


def test_a_box_at_the_border_is_not_moved_inside():
    heat, size, offset, landmarks = maps()
    heat[0, 0] = 0.8
    size[:, 0, 0] = np.log(4)
    assert decode(heat, size, offset, landmarks).xyxy[0] == pytest.approx([-6, -6, 10, 10])


def test_neighboring_cells_of_one_face_become_one():
    heat, size, offset, landmarks = maps()
    heat[3, 5:8] = 0.6, 0.9, 0.7
    size[:] = np.log(6)
    found = decode(heat, size, offset, landmarks)
    assert found.scores.tolist() == pytest.approx([0.9])


@pytest.mark.parametrize("value", [100.0, 1e38, -1e38])
def test_a_cell_of_any_finite_outputs_is_decoded_to_finite_pixels_without_a_warning(value):
    heat, size, offset, landmarks = maps()
    heat[:] = 0.8
    for output in (size, offset, landmarks):
        output[:] = value
    found = decode(heat, size, offset, landmarks)
    assert len(found.scores) > 0
    assert np.abs(found.xyxy).max() <= 2e6
    assert np.abs(found.landmarks_xy).max() <= 1e6


def test_a_cold_map_has_no_face():
    assert len(decode(*maps()).scores) == 0


@pytest.mark.parametrize(("wh", "padded"), [((320, 180), (320, 192)), ((64, 32), (64, 32)), ((1, 1), (32, 32))])
def test_the_input_is_rgb_and_a_multiple_of_32(wh, padded):
    image_bgr = np.zeros((wh[1], wh[0], 3), np.uint8)
    image_bgr[:] = 10, 20, 30
    values = network_input(image_bgr)
    assert values.shape == (1, 3, padded[1], padded[0])
    assert values[0, :, 0, 0].tolist() == [30, 20, 10]
