#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the resting expression on streams that are made of still images: docs/accuracy.md has its figures.

Yale faces (15 people): each person rests, then shows one image. CK+ without contempt: a stream begins with an
expression and shows nothing else. Every frame is a still image, turned, scaled and shifted by a little.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import ClassifierOptions, EmotionClassifier, create_classifier
from emotion_perception.core.classification.resting_expression import RestingExpressions
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.export.resting_statistics import moved

FPS = 10
VARIANTS = 5  # of each image; the frames of a stream take turns
CALIBRATION_S = 3.0
Rows = tuple[NDArray[np.float32], NDArray[np.float32]]  # probabilities and projections, (V, L) each


def main() -> None:
    """Prints the accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--yale", type=Path, required=True, help="yale96.npz")
    parser.add_argument("--ckplus", type=Path, required=True, help="ckplus48.npz")
    parser.add_argument("--model", default=ClassifierOptions.model, help="default: %(default)s")
    arguments = parser.parse_args()
    classifier = create_classifier(ClassifierOptions(model=arguments.model, device="cpu", precision="float32"))
    measure_yale(classifier, load_dataset(arguments.yale))
    measure_ckplus(classifier, load_dataset(arguments.ckplus).without_classes(["contempt"]))


def measure_yale(classifier: EmotionClassifier, data: FaceDataset) -> None:
    """Prints the mean recall of the four classes after 30 s of rest, and after a calibration."""
    assert data.filenames is not None
    assert data.subjects is not None
    truth, rows = data.labels_in(classifier.labels), predict(classifier, data)
    rest = {data.subjects[k]: k for k, name in enumerate(data.filenames.tolist()) if name.endswith("_normal")}
    tested = [k for k in range(len(data)) if k not in rest.values()]
    for name, learns, rest_s in (("off", False, 0.0), ("calibrated", False, CALIBRATION_S), ("auto", True, 30.0)):
        found = []
        for row in tested:
            resting = start(classifier)
            if rest_s:
                play(resting, rows[rest[data.subjects[row]]], rest_s, learns=learns)
            if name == "calibrated":
                resting.calibrate(0, CALIBRATION_S)
            found.append(play(resting, rows[row], 1.0, begin_s=rest_s, learns=learns))
        right = np.array(found) == truth[tested]
        recalls = {label: right[truth[tested] == label].mean() for label in np.unique(truth[tested]).tolist()}
        text = ", ".join(f"{classifier.labels[label]} {recall:.1%}" for label, recall in recalls.items())
        print(f"Yale, {name}: mean of the classes {np.mean(list(recalls.values())):.1%} ({text})")


def measure_ckplus(classifier: EmotionClassifier, data: FaceDataset) -> None:
    """Prints the accuracy at the end of streams that show one expression from the first frame on."""
    truth, rows = data.labels_in(classifier.labels), predict(classifier, data)
    for seconds in (1.0, 10.0, 30.0):
        for name, learns in (("off", False), ("auto", True)):
            found = [play(start(classifier), each, seconds, learns=learns) for each in rows]
            print(f"CK+, {name}, after {seconds:g} s of the expression: {np.mean(np.array(found) == truth):.1%}")


def predict(classifier: EmotionClassifier, data: FaceDataset) -> Sequence[Rows]:
    """Returns the predictions for variants of each image."""
    rng = np.random.default_rng(0)
    rows = []
    for k in range(len(data)):
        image = np.asarray(data.images[k])
        rows.append(classifier.predict([image, *(moved(image, rng, strength=0.4) for _ in range(VARIANTS - 1))]))
    return rows


def start(classifier: EmotionClassifier) -> RestingExpressions:
    """Returns the resting expressions of a new stream."""
    assert classifier.resting_head is not None
    return RestingExpressions(classifier.resting_head, classifier.labels)


def play(resting: RestingExpressions, rows: Rows, seconds: float, *, begin_s: float = 0.0, learns: bool) -> int:
    """Returns the label of the mean of the last second of a stream."""
    mixed = [
        resting.update(1, projection, probabilities, stamp_s, learns=learns)[0]
        for stamp_s, probabilities, projection in frames(rows, seconds, begin_s)
    ]
    return int(np.mean(mixed[-FPS:], axis=0).argmax())


def frames(rows: Rows, seconds: float, begin_s: float) -> Iterator[tuple[float, Any, Any]]:
    """Yields stamp, probabilities and projection of each frame."""
    for number in range(round(seconds * FPS)):
        variant = number % VARIANTS
        yield begin_s + number / FPS, rows[0][variant], rows[1][variant]


if __name__ == "__main__":
    main()
