# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.classification.preprocessing import to_batch, to_input
from emotion_perception.core.errors import ImageError, ModelBundleError

GRAY = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)


def spec(**options):
    return ModelSpec(architecture="any", **options)


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3), (1, 1), (7, 300), (300, 7, 3), (47, 49)])
def test_any_crop_becomes_one_gray_image_of_the_networks_size(shape):
    made = to_input(np.full(shape, 100, np.uint8), spec(input_size=32))
    assert (made.shape, made.dtype) == ((1, 32, 32), np.float32)
    assert np.isfinite(made).all()


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("zero_one", GRAY / 255),
        ("minus_one_one", GRAY / 127.5 - 1),
        ("standardize", (GRAY - GRAY.mean()) / GRAY.std()),
    ],
)
def test_each_normalization_is_what_its_name_says(normalization, expected):
    assert to_input(GRAY, spec(normalization=normalization))[0] == pytest.approx(expected, abs=1e-5)


def test_a_blank_crop_does_not_divide_by_zero():
    assert to_input(np.full((48, 48), 200, np.uint8), spec()).tolist() == np.zeros((1, 48, 48)).tolist()


def test_color_is_read_as_bgr():
    blue = np.zeros((48, 48, 3), np.uint8)
    blue[..., 0] = 255
    expected = cv2.cvtColor(blue, cv2.COLOR_BGR2GRAY)[0, 0] / 255
    assert to_input(blue, spec(normalization="zero_one")).mean() == pytest.approx(expected)
    assert expected < 0.15, "blue is dark; red would be 0.3"


def test_brightness_and_contrast_do_not_change_a_standardized_input():
    darker = (GRAY // 4 * 2 + 20).astype(np.uint8)
    brighter = (GRAY // 4 * 3 + 40).astype(np.uint8)
    assert to_input(darker, spec()) == pytest.approx(to_input(brighter, spec()), abs=1e-4)


def test_the_crop_is_not_changed():
    crop = GRAY.copy()
    to_input(crop, spec(input_size=48))
    assert (crop == GRAY).all()


def test_a_batch_is_the_inputs_one_below_the_other():
    crops = [GRAY, GRAY[:20], np.dstack([GRAY] * 3)]
    batch = to_batch(crops, spec(input_size=24))
    assert batch.shape == (3, 1, 24, 24)
    assert all((row == to_input(crop, spec(input_size=24))).all() for row, crop in zip(batch, crops, strict=True))
    assert to_batch([], spec(input_size=24)).shape == (0, 1, 24, 24)


@pytest.mark.parametrize(
    "crop",
    [
        np.zeros((0, 5), np.uint8),
        np.zeros((5, 5), np.float32),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 1), np.uint8),
        np.zeros(5, np.uint8),
    ],
    ids=["empty", "float", "four channels", "one channel", "one axis"],
)
def test_what_is_no_image_is_refused(crop):
    with pytest.raises(ImageError):
        to_input(crop, spec())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"input_size": 0}, "input_size 0"),
        ({"input_size": 100_000}, "input_size 100000"),
        ({"normalization": "zscore"}, "'zscore'"),
        ({"temperature": 0.0}, "temperature 0.0"),
        ({"temperature": float("nan")}, "temperature nan"),
        ({"crop_margin": -0.1}, "crop_margin -0.1"),
        ({"labels": ()}, "empty"),
        ({"labels": ("anger", "anger")}, "not unique"),
    ],
)
def test_a_description_that_cannot_work_is_refused(options, words):
    with pytest.raises(ModelBundleError, match=words):
        spec(**options)
