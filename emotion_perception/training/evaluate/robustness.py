# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Robustness: accuracy of a model on faces that are covered, blurred, dark, small or rotated.

A change is applied to the uint8 crop, before `to_input`, as a camera would deliver it. Lengths are fractions of the
image's side, or pixels at a side of 48, and are scaled with the image. Random numbers depend on the seed, the change,
its severity and the index of the image, so that two models get the same changed images.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import EmotionClassifier, softmax
from emotion_perception.reporting.metrics import Predictions, rounded
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.evaluate.prediction import Image, classifier_logits

_SIDE = 48  # pixels, to which lengths in pixels refer
_EYES, _MOUTH = 0.37, 0.78  # fraction of the height, measured on the mean face of FER-2013
_EYE_BAND, _MOUTH_WIDTH = (0.05, 0.95), (0.2, 0.8)  # fraction of the width: left, right
_SCAR_LENGTH, _SCAR_WIDTH, _SCAR_CORNER = 6, 2, (12, 35)  # pixels at a side of 48, limits included
_BLACK = 0
_SENSOR_NOISE = 1.0  # gray levels


@dataclass(frozen=True)
class Change:
    """A way to degrade an image.

    Attributes:
        name: key in reports.
        severity: meaning and unit of the severities.
        severities: from weak to strong.
        apply: maps an image, a severity and a random generator to the changed image.
    """

    name: str
    severity: str
    severities: tuple[float, ...]
    apply: Callable[[Image, float, np.random.Generator], Image]

    def __call__(self, image: Image, severity: float, *, seed: int, number: int) -> Image:
        """Returns the changed image, uint8 with the same channels.

        Args:
            image: uint8 (H, W) or (H, W, 3).
            severity: one of `severities`.
            seed: of the evaluation.
            number: index of the image.
        """
        entropy = (seed, zlib.crc32(self.name.encode()), self.severities.index(severity), number)
        return self.apply(image, severity, np.random.default_rng(entropy))


def measure_robustness(
    classifier: EmotionClassifier,
    data: FaceDataset,
    predictions: Predictions,
    *,
    min_confidence: float,
    seed: int,
    progress: bool,
) -> dict[str, Any]:
    """Measures accuracy and abstention with every change at every severity.

    Args:
        classifier: the model.
        data: the images.
        predictions: the model's predictions for the unchanged images.
        min_confidence: a prediction with a lower score counts as abstention.
        seed: of the random changes.
        progress: show a progress bar.

    Returns:
        `min_confidence`, `unchanged` and `changes`: name -> `severity` (its meaning) and `steps`, each with
        `severity`, `accuracy` (over all predictions) and `abstention` (fraction of uncertain predictions).
    """
    passes = sum(len(change.severities) for change in CHANGES)
    table: dict[str, Any] = {}
    with progress_bar(passes * len(data), "robustness", shown=progress) as bar:
        for change in CHANGES:
            table[change.name] = {"severity": change.severity, "steps": []}
            for severity in change.severities:
                logits = classifier_logits(classifier, data.images, bar, _changing(change, severity, seed))
                changed = Predictions(
                    softmax(logits, classifier.spec.temperature), predictions.truth, predictions.labels
                )
                table[change.name]["steps"].append(
                    {"severity": severity, **_accuracy_and_abstention(changed, min_confidence)}
                )
    return {
        "min_confidence": min_confidence,
        "unchanged": _accuracy_and_abstention(predictions, min_confidence),
        "changes": table,
    }


def _changing(change: Change, severity: float, seed: int) -> Callable[[Image, int], Image]:
    return lambda image, number: change(image, severity, seed=seed, number=number)


def _accuracy_and_abstention(predictions: Predictions, min_confidence: float) -> dict[str, float]:
    return {
        "accuracy": rounded(predictions.correct().mean()),
        "abstention": rounded((predictions.scores() < min_confidence).mean()),
    }


def cover_mouth(image: Image, height: float, _rng: np.random.Generator) -> Image:
    """Covers the mouth with a black box; its height is a fraction of the image."""
    left, right = _MOUTH_WIDTH
    return _cover(image, left, _MOUTH - height / 2, right, _MOUTH + height / 2)


def cover_eyes(image: Image, height: float, _rng: np.random.Generator) -> Image:
    """Covers the eyes with a black band; its height is a fraction of the image."""
    left, right = _EYE_BAND
    return _cover(image, left, _EYES - height / 2, right, _EYES + height / 2)


def cover_lower_face(image: Image, height: float, _rng: np.random.Generator) -> Image:
    """Covers the lower part of the face, as a mask or scarf does; its height is a fraction of the image."""
    return _cover(image, 0, 1 - height, 1, 1)


def add_scars(image: Image, count: float, rng: np.random.Generator) -> Image:
    """Draws `count` black boxes as system B does.

    At a side of 48 pixels a box has a random length 0..6 and width 0..2, is vertical or horizontal, and has its corner
    at 12..35 in both axes.
    """
    for _ in range(int(count)):
        size = [rng.integers(0, _SCAR_LENGTH + 1), rng.integers(0, _SCAR_WIDTH + 1)]
        width, height = size if rng.random() < 0.5 else size[::-1]
        left, top = rng.integers(_SCAR_CORNER[0], _SCAR_CORNER[1] + 1, 2)
        image = _cover(image, left / _SIDE, top / _SIDE, (left + width) / _SIDE, (top + height) / _SIDE)
    return image


def blur(image: Image, sigma: float, _rng: np.random.Generator) -> Image:
    """Blurs with a Gaussian; `sigma` is in pixels at a side of 48."""
    return _uint8(cv2.GaussianBlur(image, (0, 0), sigma * max(image.shape[:2]) / _SIDE))


def add_noise(image: Image, deviation: float, rng: np.random.Generator) -> Image:
    """Adds Gaussian noise to each pixel and channel; `deviation` is in gray levels."""
    return _uint8(image + rng.normal(0, deviation, image.shape))


def darken(image: Image, factor: float, rng: np.random.Generator) -> Image:
    """Multiplies the brightness by `factor` and adds sensor noise with a deviation of one gray level."""
    return _uint8(image * factor + rng.normal(0, _SENSOR_NOISE, image.shape))


def flatten_contrast(image: Image, factor: float, _rng: np.random.Generator) -> Image:
    """Multiplies the distance of each pixel from the mean by `factor`, rounded to whole gray levels."""
    mean = image.mean(axis=(0, 1))
    return _uint8(mean + (image - mean) * factor)


def shrink(image: Image, side: float, _rng: np.random.Generator) -> Image:
    """Scales the longer side down to `side` pixels, like a face far from the camera; a smaller image is not changed."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return _uint8(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def rotate(image: Image, degrees: float, rng: np.random.Generator) -> Image:
    """Rotates by `degrees` to a random side; the border pixels are repeated outwards."""
    height, width = image.shape[:2]
    turned = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees * rng.choice((-1, 1)), 1)
    return _uint8(cv2.warpAffine(image, turned, (width, height), borderMode=cv2.BORDER_REPLICATE))


CHANGES = (
    Change("mouth_covered", "height of the black box, fraction of the image", (0.15, 0.25, 0.35), cover_mouth),
    Change("eyes_covered", "height of the black band, fraction of the image", (0.1, 0.2, 0.3), cover_eyes),
    Change("lower_face_covered", "height covered, fraction of the image", (0.3, 0.4, 0.5), cover_lower_face),
    Change("scars", "number of black boxes", (1, 2, 4, 8), add_scars),
    Change("blur", "sigma, pixels at 48x48", (0.75, 1.5, 2.5), blur),
    Change("noise", "deviation, gray levels", (8, 16, 32), add_noise),
    Change("low_light", "remaining fraction of the light", (0.3, 0.1, 0.03), darken),
    Change("low_contrast", "remaining fraction of the contrast", (0.3, 0.1, 0.05), flatten_contrast),
    Change("small_face", "side of the face, pixels", (32, 24, 16, 12), shrink),
    Change("rotation", "degrees, left or right", (10, 20, 30), rotate),
)


def _cover(image: Image, left: float, top: float, right: float, bottom: float) -> Image:
    """Blackens a box given in fractions of the image's sides, clipped to the image."""
    height, width = image.shape[:2]
    columns = slice(max(0, round(left * width)), max(0, round(right * width)))
    rows = slice(max(0, round(top * height)), max(0, round(bottom * height)))
    covered = image.copy()
    covered[rows, columns] = _BLACK
    return covered


def _uint8(values: NDArray[Any]) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
