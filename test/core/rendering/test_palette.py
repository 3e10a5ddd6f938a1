# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import itertools

import cv2
import numpy as np
import pytest

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.rendering.overlay import color_of
from emotion_perception.core.rendering.palette import (
    EMOTION_COLORS,
    OTHER_COLOR,
    UNCERTAIN_COLOR,
    bgr,
    label_color,
    rgb,
    rgb_fractions,
    text_color,
)
from emotion_perception.core.types import Box, Face, FaceEmotion

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009),
# severity 1, for linear RGB
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
COLORS = [*EMOTION_COLORS.values(), OTHER_COLOR, UNCERTAIN_COLOR]


def linear(color):
    share = np.array(rgb_fractions(color))
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def seen_as(color, vision):
    """Returns the color in CIELAB."""
    seen = np.clip(np.array(VISION[vision]) @ linear(color), 0, 1)
    encoded = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(encoded.astype(np.float32)[None, None], cv2.COLOR_RGB2LAB)[0, 0]


@pytest.mark.guarantee(
    "the colors of the emotions differ for people with protanopia, deuteranopia and tritanopia too, and are the same "
    "in the overlay, markers and plots",
    section="Overlay node",
)
@pytest.mark.parametrize("vision", VISION)
def test_the_colors_differ_for_every_color_vision(vision):
    distances = {
        (a, b): float(np.linalg.norm(seen_as(a, vision) - seen_as(b, vision)))
        for a, b in itertools.combinations(COLORS, 2)
    }
    nearest = min(distances, key=distances.__getitem__)
    assert distances[nearest] > 15, nearest  # 2.3 are just noticeable side by side


def test_every_label_of_the_models_has_a_color():
    assert set(LABELS) <= set(EMOTION_COLORS)
    assert label_color("boredom") == OTHER_COLOR
    assert label_color("anger", uncertain=True) == label_color("fear", uncertain=True) == UNCERTAIN_COLOR


@pytest.mark.parametrize("color", COLORS)
def test_text_on_each_color_has_the_contrast_of_wcag_aa(color):
    ground, text = (np.dot(linear(c), (0.2126, 0.7152, 0.0722)) + 0.05 for c in (color, text_color(color)))
    assert max(ground, text) / min(ground, text) >= 4.5


def test_the_orders_of_the_channels():
    assert rgb("#D55E00") == (213, 94, 0)
    assert bgr("#D55E00") == (0, 94, 213)
    assert rgb_fractions("#FF0000") == (1, 0, 0)
    row = np.ones(1, np.float32)
    assert color_of(FaceEmotion(Face(Box(0, 0, 9, 9), 0.9), "anger", 0.9, False, row, row)) == bgr("#D55E00")
