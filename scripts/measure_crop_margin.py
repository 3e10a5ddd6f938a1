#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the ratio of a detector's box to the frame of FER-2013's images, from which the crop margin follows.

Networks trained on FER-2013 expect faces framed as in that data set. `core.images.square_crop` reproduces the framing
from a detector's box with a margin of (frame side / box side - 1) / 2. The images are cropped too tightly for a
detector, so each is padded and enlarged first: once with its border pixels replicated and once with its mean gray.

    scripts/measure_crop_margin.py --data fer2013.npz
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion_perception.core.detection import DETECTORS, DetectorOptions, create_detector, select_faces
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.core.types import Box

PADDING_PX = 25  # of the original
PADDINGS = {"border pixels": cv2.BORDER_REPLICATE, "mean gray": cv2.BORDER_CONSTANT}
ENLARGEMENT = 6


def main() -> int:
    """Prints one table row for each detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="fer2013.npz")
    parser.add_argument(
        "--detectors", nargs="+", choices=DETECTORS, default=["centerface", "haar"], help="(default: %(default)s)"
    )
    parser.add_argument("--count", type=int, default=1500, help="number of Training images (default: %(default)s)")
    options = parser.parse_args()
    images = training_images(options.data, options.count)
    print("| detector | padding | detected | box / frame, median | quartiles | center right | below | margin |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.detectors:
        for padding in PADDINGS:
            print(table_row(name, padding, images), flush=True)
    return 0


def training_images(path: Path, count: int) -> NDArray[np.uint8]:
    """Returns uint8 (count, 48, 48): evenly spaced Training images that FER+ did not drop as no face."""
    with np.load(path) as data:
        usable = (data["split"] == list(data["split_names"]).index("Training")) & ~data["ferplus_dropped"]
        chosen = np.flatnonzero(usable)
        return data["images"][chosen[:: max(1, len(chosen) // count)][:count]]


def table_row(name: str, padding: str, images: NDArray[np.uint8]) -> str:
    """Returns the table row of one detector; ratios and offsets are fractions of the frame's side."""
    frame = images.shape[1] * ENLARGEMENT
    boxes = list(detected_boxes(name, padding, images))
    ratio = np.array([max(box.width, box.height) for box in boxes]) / frame
    offset = np.array([box.center_xy for box in boxes]) / frame - (0.5 + PADDING_PX / images.shape[1])
    low, median, high = np.quantile(ratio, (0.25, 0.5, 0.75))
    right, below = np.median(offset, axis=0)
    detected = len(boxes) / len(images)
    margin = (1 / median - 1) / 2
    cells = f"{detected:.3f} | {median:.3f} | {low:.3f}-{high:.3f} | {right:+.3f} | {below:+.3f} | {margin:.3f}"
    return f"| {name} | {padding} | {cells} |"


def detected_boxes(name: str, padding: str, images: NDArray[np.uint8]) -> Iterator[Box]:
    """Yields the box with the highest score of each image with a detection, in pixels of the enlarged image."""
    config = DetectorOptions(detector=name)
    detector = create_detector(config)
    for image in images:
        gray = int(image.mean())
        padded = cv2.copyMakeBorder(image, *[PADDING_PX] * 4, PADDINGS[padding], value=gray)
        large = cv2.resize(padded, None, fx=ENLARGEMENT, fy=ENLARGEMENT, interpolation=cv2.INTER_CUBIC)
        faces = select_faces(detector.detect(np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR))), config)
        if faces:
            yield faces[0].box


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as error:
        sys.exit(f"measure_crop_margin: {error}")
