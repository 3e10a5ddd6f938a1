#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures how the predictions of a model change with the source, the framing and the light of a face.

It shows why a network that is accurate on CK+ may predict one label for everybody in front of a webcam (system A:
sadness).

    python scripts/explain_webcam_predictions.py --model a2.safetensors --faces fer2013.npz --video clip.mp4

Each row is one kind of input: the fraction of images with each predicted label, and the mean score. Inputs are the
classes of a data file, and of a video the detected face, the same face darker, brighter and with less contrast, and the
whole frame, which is what system A was given.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from image_files import Image, video_frames

from emotion_perception.core.classification import ClassifierOptions, EmotionClassifier, create_classifier
from emotion_perception.core.detection import DetectorOptions, create_detector
from emotion_perception.core.errors import EmotionPerceptionError, SourceError
from emotion_perception.core.images import square_crop
from emotion_perception.training.datasets import load_dataset

_FRAME_STEP = 4
_MOST_IMAGES = 500  # of a class
_BATCH = 64
_LIGHTING: dict[str, Callable[[Image], Image]] = {
    "unchanged": lambda image: image,
    "half as bright": lambda image: (image * 0.5).astype(np.uint8),
    "60 grays brighter": lambda image: np.clip(image.astype(int) + 60, 0, 255).astype(np.uint8),
    "half the contrast": lambda image: (image * 0.5 + 64).astype(np.uint8),
}


def main() -> int:
    """Reads the command line and prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="name of a shipped model or path of a .safetensors file")
    parser.add_argument("--faces", type=Path, help="data file of faces, see docs/data.md")
    parser.add_argument("--split", help="split of the data file")
    parser.add_argument(
        "--video", type=Path, action="append", default=[], help="video file; can be given several times"
    )
    arguments = parser.parse_args()
    classifier = create_classifier(ClassifierOptions(model=arguments.model, device="cpu", precision="float32"))
    print(f"| {arguments.model} | n | {' | '.join(classifier.labels)} | mean score |")
    print("|---|---|" + "---|" * (len(classifier.labels) + 1))
    if arguments.faces:
        data = load_dataset(arguments.faces).split(arguments.split)
        for number, name in enumerate(data.class_names):
            if (rows := np.flatnonzero(data.labels == number)[:_MOST_IMAGES]).size:
                _print_row(classifier, f"{name}, faces of {arguments.faces.stem}", [data.images[row] for row in rows])
    for path in arguments.video:
        frames = list(video_frames(path, _FRAME_STEP))
        if not frames:
            raise SourceError(f"{path}: no frame can be read")
        detector, margin = create_detector(DetectorOptions()), classifier.spec.crop_margin
        detections = [(frame, detector.detect(frame)) for frame in frames]
        faces = [square_crop(frame, found[0].box, margin) for frame, found in detections if found]
        for lighting, change in _LIGHTING.items():
            _print_row(classifier, f"{path.stem}, face, {lighting}", [change(face) for face in faces])
        _print_row(classifier, f"{path.stem}, whole frame", frames)
    return 0


def _print_row(classifier: EmotionClassifier, name: str, images: list[Image]) -> None:
    if not images:
        print(f"| {name} | 0 |")
        return
    probabilities = np.concatenate([classifier.classify(images[k : k + _BATCH]) for k in range(0, len(images), _BATCH)])
    fractions = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1]) / len(images)
    cells = [
        name,
        str(len(images)),
        *(f"{fraction:.0%}" for fraction in fractions),
        f"{probabilities.max(1).mean():.2f}",
    ]
    print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as e:
        sys.exit(f"explain_webcam_predictions: {e}")
