#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the recall of the face detectors by subgroup; writes the tables of docs/fairness.md.

    scripts/measure_subgroups.py --data DATA --out docs/fairness.md

The photographs show one face each and are annotated with guessed group, gender and age. A face is detected when the
photograph has at least one detection. Each photograph is used in three variants: unchanged, with the face filling the
image; scaled by half in the center of a gray 640x480 image; and the same darkened.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from image_files import Image, zipped_photographs
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion_perception.core.detection import DETECTORS, DetectorOptions, create_detector, select_faces
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.reporting.documents import replace_measurement
from emotion_perception.reporting.metrics import Predictions
from emotion_perception.reporting.provenance import processor_name
from emotion_perception.training.evaluate.subgroup_metrics import Groupings, measure_subgroups

BRIGHTNESS = 0.15
AGES = {
    "0 to 9": 0,
    "10 to 19": 10,
    "20 to 39": 20,
    "40 to 59": 40,
    "from 60": 60,
    "": 120,
}  # lower bounds; 255 is unknown
SIZES = {"yunet": 480, "centerface": 320, "mtcnn": 320, "haar": 320}  # longer sides in pixels
THRESHOLDS = {"haar": 0.5}  # of detectors whose precision is too low at the default
GRAY = 128


def centered(photograph: Image) -> Image:
    """Returns a gray 640x480 image with the photograph, scaled by half, in the center."""
    small = cv2.resize(photograph, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    image = np.full((480, 640, 3), GRAY, np.uint8)
    top, left = (480 - small.shape[0]) // 2, (640 - small.shape[1]) // 2
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    return image


def darkened(photograph: Image) -> Image:
    """Returns `centered` with reduced brightness, rounded to whole gray levels."""
    return np.asarray(np.rint(centered(photograph) * BRIGHTNESS), np.uint8)


VARIANTS: dict[str, Callable[[Image], Image]] = {
    "fills the image": lambda photograph: photograph,
    "100 of 480 pixels": centered,
    f"100 of 480 pixels, {BRIGHTNESS:g} of the brightness": darkened,
}


def main() -> int:
    """Measures all detectors and prints the tables or writes them into `--out`; returns the exit code."""
    options = parse_arguments()
    photographs = dict(zipped_photographs(options.data / "utkface200_sample.zip", options.step))
    groupings = read_groupings(options.data / "utkface64.npz", list(photographs))
    names = options.detectors or list(DETECTORS)
    results = {
        (name, variant): measure_subgroups(recall(name, variant, photographs), groupings, seed=0)
        for name in names
        for variant in VARIANTS
    }
    lines = [
        f"`scripts/measure_subgroups.py`, {date.today()}, {processor_name()}, OpenCV {cv2.__version__}; "
        f"{len(photographs)} photographs, longer side {', '.join(f'{SIZES[name]} ({name})' for name in names)}, "
        f"score threshold {DetectorOptions().score_threshold}, Haar's {THRESHOLDS['haar']}."
    ]
    for grouping in groupings:
        lines += ["", f"By {grouping}:", "", *table(grouping, results)]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out:
        replace_measurement(options.out, text)
    return 0


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with utkface200_sample.zip and utkface64.npz")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, help="(default: all)")
    parser.add_argument("--step", type=int, default=1, help="measure every STEP-th photograph (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="Markdown document whose generated section is replaced")
    return parser.parse_args()


def read_groupings(path: Path, names: list[str]) -> Groupings:
    """Returns the guessed group, gender and age group of each photograph."""
    file = np.load(path)
    rows = {str(name): row for row, name in enumerate(file["filename"])}
    chosen = [rows[name] for name in names]
    age = np.digitize(file["age"][chosen], list(AGES.values())) - 1
    return {
        "guessed group": file["race_names"][file["race"]][chosen],
        "gender": file["gender_names"][file["gender"]][chosen],
        "age": np.array(list(AGES))[age],
    }


def recall(name: str, variant: str, photographs: Mapping[str, Image]) -> Predictions:
    """Returns for each photograph whether its face was detected, as predictions of `missed` or `found`."""
    config = DetectorOptions(detector=name, detection_size=SIZES[name])
    config = replace(config, score_threshold=THRESHOLDS.get(name, config.score_threshold))
    detector = create_detector(config)
    images = tqdm(photographs.values(), desc=f"{name}, {variant}", unit=" images", disable=None, leave=False)
    hits = np.array([bool(select_faces(detector.detect(VARIANTS[variant](each)), config)) for each in images])
    return Predictions(np.stack([~hits, hits], 1).astype(np.float32), np.ones(len(hits), np.int64), ("missed", "found"))


def table(grouping: str, results: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[str]:
    """Returns the table of one grouping: recall of each subgroup and the largest gap between two of them."""
    groups = next(iter(results.values()))[grouping]["groups"]
    counts = [f"{name} (n {group['n']})" for name, group in groups.items()]
    lines = [
        f"| detector | face | {' | '.join(counts)} | largest gap, points (95 % interval) |",
        f"|---|---|{'---|' * (len(counts) + 1)}",
    ]
    for (name, variant), groupings in results.items():
        measured, gap = groupings[grouping]["groups"], groupings[grouping]["largest_gap"]["accuracy"]
        cells = [f"{100 * group['accuracy']:.1f}" if "accuracy" in group else "too few" for group in measured.values()]
        cells.append(gap_in_words(gap) if gap else "")
        lines.append(f"| {name} | {variant} | {' | '.join(cells)} |")
    return lines


def gap_in_words(gap: Mapping[str, Any]) -> str:
    """Returns the gap with its interval in percentage points, and the subgroup with the lowest recall."""
    low, high = (100 * end for end in gap["interval"])
    return f"{100 * gap['gap']:.1f} ({low:.1f} to {high:.1f}), {gap['lowest']} lowest" if gap["gap"] else "0"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as error:
        sys.exit(f"measure_subgroups: {error}")
