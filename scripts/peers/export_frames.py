#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes the frames on which every peer is measured: 640x480, one face each, from the demonstration clip.

    emotion-perception fetch demo-clip
    scripts/peers/export_frames.py --out out/bench/peers/frames

They are evenly spaced among the frames that `emotion-perception benchmark` uses, scaled and cropped in the same way.
PNG is lossless, so all peers get the same pixels from any version of OpenCV.
"""

import argparse
import re
import sys
from pathlib import Path

import cv2
import numpy as np

from emotion_perception.benchmark.scene import VGA, Scene
from emotion_perception.core.errors import ConfigurationError, EmotionPerceptionError

_FRAME = re.compile(r"\d{3,}\.png")


def main() -> int:
    """Reads the command line and writes the frames; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of frames; earlier frames are replaced")
    parser.add_argument("--count", type=int, default=120, help="number of frames (default: %(default)s)")
    options = parser.parse_args()
    write_frames(Scene(), options.out, options.count)
    print(f"{options.out}: {options.count} frames of {VGA[0]}x{VGA[1]}")
    return 0


def write_frames(scene: Scene, folder: Path, count: int) -> None:
    """Writes `count` evenly spaced frames of a scene as 000.png, 001.png, ...

    Earlier frames in the folder are removed.

    Raises:
        ConfigurationError: the folder has anything else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = sorted(folder.iterdir())
    others = [entry.name for entry in earlier if not _FRAME.fullmatch(entry.name)]
    if others:
        raise ConfigurationError(
            f"{folder}: has files that are no frames, e.g. {others[0]}: give a new or an empty folder"
        )
    for old in earlier:
        old.unlink()
    for place, number in enumerate(np.linspace(0, len(scene.frames) - 1, count).round().astype(int).tolist()):
        cv2.imwrite(str(folder / f"{place:03d}.png"), scene.image(number, VGA))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as error:
        sys.exit(f"export_frames: {error}")
