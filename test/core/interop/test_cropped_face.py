# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.errors import RegionError
from emotion_perception.core.interop import crop_face
from emotion_perception.core.rendering import anonymize_faces
from emotion_perception.core.types import Box


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(1, 256, (240, 320, 3), np.uint8)


@pytest.mark.parametrize(
    ("box", "columns", "rows"),
    [
        (Box(10, 20, 110, 120), 128, 128),
        (Box(10, 20, 60, 120), 64, 128),
        (Box(10, 20, 110, 45), 128, 32),
        (Box(10, 20, 14, 28), 64, 128),
        (Box(0, 0, 320, 1), 128, 1),
    ],
)
def test_a_face_is_scaled_centered_and_padded_with_black(image, box, columns, rows):
    crop = crop_face(image, box)
    assert (crop.shape, crop.dtype) == ((128, 128, 3), np.uint8)
    filled = crop.any(axis=2)
    assert (filled.any(axis=0).sum(), filled.any(axis=1).sum()) == (columns, rows)
    left, top = (128 - columns) // 2, (128 - rows) // 2
    assert filled[top : top + rows, left : left + columns].all()


def test_a_box_of_that_size_has_the_pixels_of_the_image(image):
    np.testing.assert_array_equal(crop_face(image, Box(5, 6, 133, 134)), image[6:134, 5:133])


@pytest.mark.parametrize("mode", ["blur", "pixelate", "fill"])
def test_an_anonymized_face_is_as_unrecognizable_as_in_the_overlay(image, mode):
    before, box = image.copy(), Box(100, 60, 228, 188)
    expected = anonymize_faces(image, [box], mode)[60:188, 100:228]
    np.testing.assert_array_equal(crop_face(image, box, mode), expected)
    np.testing.assert_array_equal(image, before)


def test_a_box_at_the_edge_is_cut(image):
    np.testing.assert_array_equal(crop_face(image, Box(-50, -50, 128, 128)), image[:128, :128])


def test_a_box_outside_the_image_is_an_error(image):
    with pytest.raises(RegionError, match="outside the image of 320x240 pixels"):
        crop_face(image, Box(400, 10, 410, 20))
