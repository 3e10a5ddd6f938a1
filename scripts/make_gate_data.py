#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Makes the data file of the non-face filter (recipe `face_gate`): face crops and crops of images without faces.

    python scripts/make_gate_data.py --faces fer2013.npz --images FOLDER [--images FOLDER] --out gate.npz

The crops without faces are cut from every image and video in the folders, with the detected faces filled, and from
generated images: gradients, noise of several scales, stripes, shapes and letters. All crops of an image are in one
split, Training or PublicTest, so the test split shows no scene of the training split. Usable folders are `skimage/data`
and `sklearn/datasets/images` of an environment where these packages are installed.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from output_option import add_output_option, check_output_option
from tqdm import tqdm

from emotion_perception.core.detection import DetectorOptions, create_detector
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.training.datasets import load_dataset

SIDE = 48  # pixels
_TEST_FRACTION = 0.2
_FRAMES = 12  # per video
_IMAGE_SUFFIXES, _VIDEO_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp"), (".mp4", ".webm", ".avi")
_MIN_DEVIATION = 4.0  # gray levels; a crop below it is uniform and left out
Gray = NDArray[np.uint8]


def main() -> int:
    """Reads the command line, writes the data file and prints its counts; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path, required=True, help="data file of faces, see docs/data.md")
    parser.add_argument("--images", type=Path, action="append", default=[], help="folder; can be given several times")
    add_output_option(parser, ".npz to write")
    parser.add_argument("--count", type=int, default=8000, help="crops per class (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the random crops (default: %(default)s)")
    arguments = parser.parse_args()
    check_output_option(parser, arguments, [arguments.faces])
    rng = np.random.default_rng(arguments.seed)
    scenes = [*_scenes(arguments.images), *(_generated(rng) for _ in range(60))]
    images, labels, splits = [], [], []
    for label, (crops, in_test) in enumerate(
        (_faces(arguments, rng), _crops_without_faces(scenes, arguments.count, rng))
    ):
        images += crops
        labels += [label] * len(crops)
        splits += in_test
    np.savez_compressed(
        arguments.out,
        images=np.stack(images),
        labels=np.array(labels, np.uint8),
        class_names=np.array(["face", "other"]),
        split=np.array(splits, np.uint8),
        split_names=np.array(["Training", "PublicTest"]),
    )
    print(f"{arguments.out}: {labels.count(0)} faces, {labels.count(1)} others of {len(scenes)} scenes")
    return 0


def _faces(arguments: argparse.Namespace, rng: np.random.Generator) -> tuple[list[Gray], list[bool]]:
    data = load_dataset(arguments.faces)
    chosen: list[Gray] = []
    in_test: list[bool] = []
    for test, name in enumerate(("Training", "PublicTest")):
        part = data.split(name).usable_for_training()
        count = round(arguments.count * (_TEST_FRACTION if test else 1 - _TEST_FRACTION))
        rows = rng.permutation(len(part))[:count]
        chosen += [cv2.resize(part.images[row], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for row in rows]
        in_test += [bool(test)] * len(rows)
    return chosen, in_test


def _crops_without_faces(scenes: list[Gray], count: int, rng: np.random.Generator) -> tuple[list[Gray], list[bool]]:
    scene_in_test = rng.permutation(len(scenes)) < _TEST_FRACTION * len(scenes)
    crops: list[Gray] = []
    in_test: list[bool] = []
    with tqdm(total=count, desc="cropping", unit=" crops") as bar:
        while len(crops) < count:
            number = int(rng.integers(len(scenes)))
            crop = _random_crop(scenes[number], rng)
            if crop.std() >= _MIN_DEVIATION:
                crops.append(crop)
                in_test.append(bool(scene_in_test[number]))
                bar.update()
    return crops, in_test


def _random_crop(scene: Gray, rng: np.random.Generator) -> Gray:
    """Returns a square of random size and position, resized to (SIDE, SIDE)."""
    height, width = scene.shape
    side = int(np.exp(rng.uniform(np.log(24), np.log(min(height, width)))))
    left, top = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
    crop = scene[top : top + side, left : left + side]
    return np.asarray(cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _scenes(folders: list[Path]) -> Iterator[Gray]:
    """Yields gray images; detected faces are filled with the mean gray of the image."""
    detector = create_detector(DetectorOptions(score_threshold=0.2))
    for path in tqdm(sorted(file for folder in folders for file in folder.rglob("*")), "reading", unit=" files"):
        for image in _read(path):
            gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            for face in detector.detect(image):
                box = face.box
                gray[box.y_min : box.y_max, box.x_min : box.x_max] = int(gray.mean())
            if min(gray.shape) >= SIDE:
                yield gray


def _read(path: Path) -> Iterator[NDArray[np.uint8]]:
    if path.suffix.lower() in _IMAGE_SUFFIXES:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is not None:
            yield np.asarray(image, np.uint8)
    elif path.suffix.lower() in _VIDEO_SUFFIXES:
        video = cv2.VideoCapture(str(path))
        total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        for position in np.linspace(0, max(total - 1, 0), _FRAMES).astype(int):
            video.set(cv2.CAP_PROP_POS_FRAMES, int(position))
            read, image = video.read()
            if read:
                yield np.asarray(image, np.uint8)
        video.release()


def _generated(rng: np.random.Generator) -> Gray:
    """Returns a generated scene, 256x256: noise and stripes with shapes and letters on top."""
    rows, columns = np.mgrid[0:256, 0:256] / 256
    angle, frequency = rng.uniform(0, np.pi), rng.uniform(0, 20)
    wave = np.cos(2 * np.pi * frequency * (rows * np.cos(angle) + columns * np.sin(angle)))
    grain = sum(
        cv2.resize(rng.standard_normal((side, side)), (256, 256), interpolation=cv2.INTER_CUBIC) / side**0.5
        for side in (2, 4, 8, 16, 32, 64)
    )
    scene = 128 + rng.uniform(0, 60) * wave + rng.uniform(10, 60) * grain
    canvas = np.ascontiguousarray(scene.clip(0, 255).astype(np.uint8))
    for _ in range(int(rng.integers(0, 12))):
        center = tuple(int(value) for value in rng.integers(0, 256, 2))
        gray, size = int(rng.integers(256)), int(rng.integers(4, 60))
        kind = int(rng.integers(4))
        if kind == 0:
            cv2.circle(canvas, center, size, gray, int(rng.choice([-1, 2])))
        elif kind == 1:
            cv2.rectangle(canvas, center, (center[0] + size, center[1] + size), gray, int(rng.choice([-1, 2])))
        elif kind == 2:
            cv2.ellipse(canvas, center, (size, size // 2 + 1), float(rng.uniform(0, 180)), 0, 360, gray, -1)
        else:
            cv2.putText(canvas, chr(int(rng.integers(65, 91))), center, cv2.FONT_HERSHEY_SIMPLEX, size / 20, gray, 2)
    return canvas


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EmotionPerceptionError as e:
        sys.exit(f"make_gate_data: {e}")
