#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Shows why a network that is good on CK+ may say one thing to everybody in front of a webcam (system A: "sadness").

    python scripts/explain_webcam_answers.py --model a2.safetensors --faces fer2013.npz --video clip.mp4

One row for each way to show the model a face: how often it gives each answer, and how sure it is. Faces of another
source come from a data file; of a video come the face as a detector finds it, the whole frame, as system A took it, and
the face darker, brighter and with less contrast.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import EmotionClassifier, create_classifier
from emotion_perception.core.config import ClassifierConfig, DetectionConfig
from emotion_perception.core.detection.factory import create_detector
from emotion_perception.core.errors import EmotionPerceptionError, SourceError
from emotion_perception.core.images.geometry import square_crop
from emotion_perception.training.datasets import load_dataset

BagImage = NDArray[np.uint8]
_LIGHT: dict[str, Callable[[BagImage], BagImage]] = {
    "as it is": lambda image: image,
    "half as bright": lambda image: (image * 0.5).astype(np.uint8),
    "60 grays brighter": lambda image: np.clip(image.astype(int) + 60, 0, 255).astype(np.uint8),
    "half the contrast": lambda image: (image * 0.5 + 64).astype(np.uint8),
}


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="name of a shipped model or path of a .safetensors file")
    parser.add_argument("--faces", type=Path, help="data file with faces of another source")
    parser.add_argument("--split", help="of the data file")
    parser.add_argument("--video", type=Path, action="append", default=[], help="may be repeated")
    arguments = parser.parse_args()
    classifier = create_classifier(ClassifierConfig(model=arguments.model, device="cpu"))
    print(f"| {arguments.model} | n | {' | '.join(classifier.labels)} | mean score |")
    print("|---|---|" + "---|" * (len(classifier.labels) + 1))
    if arguments.faces:
        data = load_dataset(arguments.faces).split(arguments.split)
        for number, name in enumerate(data.class_names):
            if (rows := np.flatnonzero(data.labels == number)[:500]).size:
                _show(classifier, f"{name}, faces of {arguments.faces.stem}", [data.images[row] for row in rows])
    for path in arguments.video:
        frames = list(_frames(path))
        if not frames:
            raise SourceError(f"{path}: no frame can be read")
        detector, margin = create_detector(DetectionConfig()), classifier.spec.crop_margin
        faces = [square_crop(frame, found[0].box, margin) for frame in frames if (found := detector.detect(frame))]
        for light, change in _LIGHT.items():
            _show(classifier, f"{path.stem}, face, {light}", [change(face) for face in faces])
        _show(classifier, f"{path.stem}, whole frame", frames)
    return 0


def _show(classifier: EmotionClassifier, name: str, images: list[BagImage]) -> None:
    if not images:
        print(f"| {name} | 0 |")
        return
    scores = np.concatenate([classifier.classify(images[k : k + 64]) for k in range(0, len(images), 64)])
    shares = np.bincount(scores.argmax(axis=1), minlength=scores.shape[1]) / len(scores)
    print(f"| {name} | {len(scores)} | {' | '.join(f'{share:.0%}' for share in shares)} | {scores.max(1).mean():.2f} |")


def _frames(path: Path) -> Iterator[BagImage]:
    """Gives every fourth frame."""
    video = cv2.VideoCapture(str(path))
    number = 0
    while True:
        read, frame = video.read()
        if not read:
            break
        if number % 4 == 0:
            yield np.asarray(frame, np.uint8)
        number += 1
    video.release()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EmotionPerceptionError as e:
        sys.exit(f"explain_webcam_answers: {e}")
