#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes the frames on which every peer is measured: images of the demonstration clip, one face each, 640x480.

    emotion-perception fetch demo-clip
    scripts/peers/export_frames.py --out out/bench/peers/frames

They are spread evenly over those that `emotion-perception benchmark` uses, and scaled and cut as there. PNG, so that
all peers see the same pixels, whichever OpenCV they have.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from emotion_perception.benchmark.scene import VGA, Scene
from emotion_perception.core.errors import EmotionPerceptionError


def main() -> int:
    """Writes the frames, and says how many."""
    parser = argparse.ArgumentParser(description="Writes the frames on which every peer is measured.")
    parser.add_argument("--out", type=Path, required=True, help="folder; what it has of earlier frames is replaced")
    parser.add_argument("--count", type=int, default=120, help="how many frames (default: %(default)s)")
    options = parser.parse_args()
    write_frames(Scene(), options.out, options.count)
    print(f"{options.out}: {options.count} frames of {VGA[0]}x{VGA[1]}")
    return 0


def write_frames(scene: Scene, folder: Path, count: int) -> None:
    """Writes `count` frames of a scene as 000.png, 001.png, ... into a folder, which then has no others."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for place, number in enumerate(np.linspace(0, len(scene.frames) - 1, count).round().astype(int).tolist()):
        cv2.imwrite(str(folder / f"{place:03d}.png"), scene.image(number, VGA))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as error:
        sys.exit(f"export_frames: {error}")
