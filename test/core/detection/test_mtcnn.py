# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.detection.mtcnn import corrected, patches, proposals, pyramid, squares


def test_the_pyramid_goes_from_the_smallest_face_to_the_whole_image():
    scales = list(pyramid(180))
    assert scales[0] == pytest.approx(12 / 20)
    assert 12 <= 180 * scales[-1] < 12 / 0.709
    assert list(pyramid(19)) == []


def test_a_hot_cell_becomes_a_window_of_the_image():
    probabilities = np.zeros((9, 7))
    corrections = np.zeros((9, 7, 4))
    probabilities[4, 2] = 0.9  # column 4, row 2
    corrections[4, 2] = 0.5, 0, 0, -0.5
    assert proposals(corrections, probabilities, 0.5)[0] == pytest.approx([28, 8, 40, 20, 0.9])


def test_no_hot_cell_gives_no_window():
    assert proposals(np.zeros((9, 7, 4)), np.zeros((9, 7)), 0.5).shape == (0, 5)


def test_corrections_move_the_sides_by_fractions_of_the_box():
    boxes = np.array([[10.0, 20, 20, 40]])
    assert corrected(boxes, np.array([[0.1, 0.1, -0.1, 0.2]])).tolist() == [[11, 22, 19, 44]]


def test_squares_keep_the_center():
    assert squares(np.array([[10.0, 20, 20, 40]])).tolist() == [[5, 20, 25, 40]]


def test_patches_are_black_where_they_leave_the_image():
    image = np.full((40, 40, 3), 200, np.uint8)
    inside, partly, outside = patches(image, np.array([[5.0, 5, 15, 15], [-10, 0, 10, 20], [90, 90, 99, 99]]), 24)
    assert (inside == 200).all()
    assert not partly[:, :11].any()
    assert (partly[:, 13:] == 200).all()
    assert not outside.any()
