# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""How a model's answers hold when faces are covered, blurred, dark, small or turned.

Every change is applied to the uint8 crop, before `to_input`, as a camera would deliver it. Lengths are shares of the
image's side, or pixels at a side of 48, and are scaled with the image. What is random is drawn from the seed, the
change, its severity and the image's number, so two models see the same changed images.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import EmotionClassifier, softmax
from emotion_perception.reporting.metrics import Predictions, rounded
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.evaluate.prediction import BagImage, logits_of

_SIDE = 48  # pixels: the side that lengths in pixels are meant for
_EYES, _MOUTH = 0.37, 0.78  # share of the height at which FER-2013's mean face has them
_EYE_BAND, _MOUTH_WIDTH = (0.05, 0.95), (0.2, 0.8)  # share of the width: left, right
_SCAR_LENGTH, _SCAR_WIDTH, _SCAR_CORNER = 6, 2, (12, 35)  # pixels at a side of 48, ends included
_BLACK = 0
_SENSOR_NOISE = 1.0  # gray levels


@dataclass(frozen=True)
class Change:
    """One way in which images get worse.

    Attributes:
        name: key in reports.
        severity: what the severities are, with their unit.
        severities: from weak to strong.
        apply: maps an image, a severity and a source of randomness to another image.
    """

    name: str
    severity: str
    severities: tuple[float, ...]
    apply: Callable[[BagImage, float, np.random.Generator], BagImage]

    def __call__(self, image: BagImage, severity: float, *, seed: int, number: int) -> BagImage:
        """Returns the changed image; uint8, gray or BGR as it was.

        Args:
            image: uint8 (H, W) or (H, W, 3).
            severity: one of `severities`.
            seed: of the whole measurement.
            number: which image this is.
        """
        entropy = (seed, zlib.crc32(self.name.encode()), self.severities.index(severity), number)
        return self.apply(image, severity, np.random.default_rng(entropy))


def measure_robustness(
    classifier: EmotionClassifier,
    data: FaceDataset,
    answers: Predictions,
    *,
    min_confidence: float,
    seed: int,
    progress: bool,
) -> dict[str, Any]:
    """Measures accuracy and abstention under every change at every severity.

    Args:
        classifier: the model.
        data: the images.
        answers: the model's answers to the unchanged images.
        min_confidence: an answer whose score is below it counts as abstention.
        seed: of what is random in the changes.
        progress: show a bar.

    Returns:
        `min_confidence`, `unchanged` and `changes`: name -> `severity` (what it is) and `steps`, each with
        `severity`, `accuracy` (over all answers) and `abstention` (share of uncertain ones).
    """
    passes = sum(len(change.severities) for change in CHANGES)
    table: dict[str, Any] = {}
    with progress_bar(passes * len(data), "robustness", shown=progress) as bar:
        for change in CHANGES:
            table[change.name] = {"severity": change.severity, "steps": []}
            for severity in change.severities:
                logits = logits_of(classifier, data.images, bar, _changing(change, severity, seed))
                changed = Predictions(softmax(logits, classifier.spec.temperature), answers.truth, answers.labels)
                table[change.name]["steps"].append({"severity": severity, **_figures(changed, min_confidence)})
    return {"min_confidence": min_confidence, "unchanged": _figures(answers, min_confidence), "changes": table}


def _changing(change: Change, severity: float, seed: int) -> Callable[[BagImage, int], BagImage]:
    return lambda image, number: change(image, severity, seed=seed, number=number)


def _figures(answers: Predictions, min_confidence: float) -> dict[str, float]:
    return {
        "accuracy": rounded(answers.correct().mean()),
        "abstention": rounded((answers.scores() < min_confidence).mean()),
    }


def cover_mouth(image: BagImage, height: float, _rng: np.random.Generator) -> BagImage:
    """Puts a black box over the mouth, `height` of the image high."""
    left, right = _MOUTH_WIDTH
    return _cover(image, left, _MOUTH - height / 2, right, _MOUTH + height / 2)


def cover_eyes(image: BagImage, height: float, _rng: np.random.Generator) -> BagImage:
    """Puts a black band over the eyes, `height` of the image high."""
    left, right = _EYE_BAND
    return _cover(image, left, _EYES - height / 2, right, _EYES + height / 2)


def cover_lower_face(image: BagImage, height: float, _rng: np.random.Generator) -> BagImage:
    """Blackens the lower part, `height` of the image high, as a mask or scarf does."""
    return _cover(image, 0, 1 - height, 1, 1)


def add_scars(image: BagImage, count: float, rng: np.random.Generator) -> BagImage:
    """Puts `count` of system B's scars on an image.

    At a side of 48 pixels each is a black box of random length 0..6 and width 0..2, vertical or horizontal, its corner
    at 12..35 in both axes.
    """
    for _ in range(int(count)):
        size = [rng.integers(0, _SCAR_LENGTH + 1), rng.integers(0, _SCAR_WIDTH + 1)]
        width, height = size if rng.random() < 0.5 else size[::-1]
        left, top = rng.integers(_SCAR_CORNER[0], _SCAR_CORNER[1] + 1, 2)
        image = _cover(image, left / _SIDE, top / _SIDE, (left + width) / _SIDE, (top + height) / _SIDE)
    return image


def blur(image: BagImage, sigma: float, _rng: np.random.Generator) -> BagImage:
    """Blurs with a Gaussian of `sigma` pixels at a side of 48."""
    return _uint8(cv2.GaussianBlur(image, (0, 0), sigma * max(image.shape[:2]) / _SIDE))


def add_noise(image: BagImage, deviation: float, rng: np.random.Generator) -> BagImage:
    """Adds Gaussian noise of `deviation` gray levels to each pixel and channel."""
    return _uint8(image + rng.normal(0, deviation, image.shape))


def darken(image: BagImage, factor: float, rng: np.random.Generator) -> BagImage:
    """Leaves `factor` of the light; the sensor's own noise, a deviation of one gray level, stays as it is."""
    return _uint8(image * factor + rng.normal(0, _SENSOR_NOISE, image.shape))


def flatten_contrast(image: BagImage, factor: float, _rng: np.random.Generator) -> BagImage:
    """Leaves `factor` of each pixel's distance from the image's mean, rounded to whole gray levels."""
    mean = image.mean(axis=(0, 1))
    return _uint8(mean + (image - mean) * factor)


def shrink(image: BagImage, side: float, _rng: np.random.Generator) -> BagImage:
    """Makes the longer side `side` pixels long, as a face far from the camera is; a smaller image stays."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return _uint8(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def rotate(image: BagImage, degrees: float, rng: np.random.Generator) -> BagImage:
    """Turns by `degrees`, to the left or to the right by chance; the border is repeated outwards."""
    height, width = image.shape[:2]
    turned = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees * rng.choice((-1, 1)), 1)
    return _uint8(cv2.warpAffine(image, turned, (width, height), borderMode=cv2.BORDER_REPLICATE))


CHANGES = (
    Change("mouth_covered", "height of the black box, share of the image", (0.15, 0.25, 0.35), cover_mouth),
    Change("eyes_covered", "height of the black band, share of the image", (0.1, 0.2, 0.3), cover_eyes),
    Change("lower_face_covered", "height covered, share of the image", (0.3, 0.4, 0.5), cover_lower_face),
    Change("scars", "number of system B's boxes", (1, 2, 4, 8), add_scars),
    Change("blur", "sigma, pixels at 48x48", (0.75, 1.5, 2.5), blur),
    Change("noise", "deviation, gray levels", (8, 16, 32), add_noise),
    Change("low_light", "share of the light left", (0.3, 0.1, 0.03), darken),
    Change("low_contrast", "share of the contrast left", (0.3, 0.1, 0.05), flatten_contrast),
    Change("small_face", "side of the face, pixels", (32, 24, 16, 12), shrink),
    Change("rotation", "degrees, left or right", (10, 20, 30), rotate),
)


def _cover(image: BagImage, left: float, top: float, right: float, bottom: float) -> BagImage:
    """Blackens a box given as shares of the image's sides; what lies outside is ignored."""
    height, width = image.shape[:2]
    columns = slice(max(0, round(left * width)), max(0, round(right * width)))
    rows = slice(max(0, round(top * height)), max(0, round(bottom * height)))
    covered = image.copy()
    covered[rows, columns] = _BLACK
    return covered


def _uint8(values: NDArray[Any]) -> BagImage:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
