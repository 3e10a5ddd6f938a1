#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Draws the overlays that a test compares with: test/core/rendering/golden/*.png. Look at them before you commit."""

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.rendering import OverlayOptions, draw_overlay
from emotion_perception.core.rendering.overlay import status_line
from emotion_perception.core.types import Box, Face, FaceEmotion, Landmarks, Point

FOLDER = Path(__file__).resolve().parents[1] / "test" / "core" / "rendering" / "golden"
_STATUS = status_line(29.94, 38.2, 12)
_UNCERTAIN_BELOW = 0.5


def ground(width: int, height: int) -> NDArray[np.uint8]:
    """Returns an image (H, W, 3) that becomes brighter to the right, in steps that compress well."""
    row = (np.arange(width) * 8 // width * 24 + 40).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (height, width, 3)))


def emotion(box: Box, number: int) -> FaceEmotion:
    """Returns the emotion of the face of a track: label and score follow from its number."""
    score = 0.3 + number * 0.17 % 0.69
    shares = np.full(len(LABELS), (1 - score) / (len(LABELS) - 1), np.float32)
    shares[number % len(LABELS)] = score
    x, y, w, h = box.x_min, box.y_min, box.width, box.height
    points = (Point(x + share_x * w, y + share_y * h) for share_x, share_y in _LANDMARKS)
    face = Face(box, 0.9, Landmarks(*points), track_id=number)
    return FaceEmotion(face, LABELS[number % len(LABELS)], score, score < _UNCERTAIN_BELOW, shares, shares)


_LANDMARKS = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.78), (0.65, 0.78))


def rows_of_faces(width: int, height: int, columns: int, rows: int) -> Iterator[Box]:
    """Yields the boxes of people who stand in rows, the lower ones nearer, none exactly beside another."""
    for number in range(columns * rows):
        row, column = divmod(number, columns)
        side = round(height / rows * (0.42 + 0.08 * row))
        x = round((column + 0.5 + 0.2 * math.sin(number * 2.4)) * width / columns - side / 2)
        y = round((row + 0.55 + 0.12 * math.sin(number * 1.7)) * height / rows - side / 2)
        yield Box(max(x, 0), max(y, 0), min(x + side, width), min(y + round(side * 1.2), height))


def scene(width: int, height: int, boxes: Sequence[Box], options: OverlayOptions | None = None) -> NDArray[np.uint8]:
    """Returns the overlay of faces in an image of that size, uint8 (H, W, 3)."""
    emotions = [emotion(box, number + 3) for number, box in enumerate(boxes)]
    return draw_overlay(ground(width, height), emotions, LABELS, options or OverlayOptions(), status=_STATUS)


SCENES: Mapping[str, Callable[[], NDArray[np.uint8]]] = {
    "one_320x240": lambda: scene(320, 240, [Box(60, 80, 140, 180)]),
    "two_640x480": lambda: scene(640, 480, [Box(90, 150, 210, 300), Box(360, 60, 480, 210)]),
    "eight_640x480": lambda: scene(640, 480, [*rows_of_faces(640, 480, 4, 2)]),
    "crowd_320x240": lambda: scene(320, 240, [*rows_of_faces(320, 240, 4, 4)]),
    "crowd_640x480": lambda: scene(640, 480, [*rows_of_faces(640, 480, 4, 4)], OverlayOptions(draw_landmarks=True)),
    "three_1920x1080": lambda: scene(1920, 1080, [*rows_of_faces(1920, 1080, 3, 1)]),
    "close_640x480": lambda: scene(640, 480, [Box(150, 0, 470, 480)]),
    "fills_320x240": lambda: scene(320, 240, [Box(0, 0, 320, 240)]),
}


def main() -> int:
    """Writes the images; returns the exit code."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name, draw in SCENES.items():
        png = cv2.imencode(".png", draw(), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
        write_atomically(FOLDER / f"{name}.png", png)
        print(f"{FOLDER / name}.png: {len(png) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
