#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures whether the face detectors find people of all groups alike; writes the tables of docs/groups.md.

    scripts/measure_subgroups.py --data ../shared/data --out docs/groups.md

Photographs of one face each, of which people have guessed group, gender and age. A face is found where there is at
least one box. Each photograph is shown in three ways: as it is, the face filling it; half as large, in the middle of a
gray image of 640x480; and the same with a fraction of the light.
"""

import argparse
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion_perception.core.config import DETECTORS, DetectionConfig
from emotion_perception.core.detection.factory import create_detector, select_faces
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.reporting.documents import replace_measurement
from emotion_perception.reporting.metrics import Predictions
from emotion_perception.reporting.provenance import processor_name
from emotion_perception.training.evaluate.subgroup_metrics import Groupings, measure_subgroups

LIGHT = 0.15
AGES = {"0 to 9": 0, "10 to 19": 10, "20 to 39": 20, "40 to 59": 40, "from 60": 60, "": 120}  # from; 255 is unknown
THRESHOLDS = {"haar": 0.5}  # of detectors for which the default is too low
GRAY = 128
Image = NDArray[np.uint8]


def in_the_middle(photograph: Image) -> Image:
    """Returns 640x480 gray with the photograph, half as large, in its middle."""
    small = cv2.resize(photograph, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    image = np.full((480, 640, 3), GRAY, np.uint8)
    top, left = (480 - small.shape[0]) // 2, (640 - small.shape[1]) // 2
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    return image


def in_dim_light(photograph: Image) -> Image:
    """Returns the same with less light, rounded as a camera would."""
    return np.asarray(np.rint(in_the_middle(photograph) * LIGHT), np.uint8)


WAYS: dict[str, Callable[[Image], Image]] = {
    "fills the image": lambda photograph: photograph,
    "100 of 480 pixels": in_the_middle,
    f"100 of 480 pixels, {LIGHT:g} of the light": in_dim_light,
}


def main() -> int:
    """Measures and writes or prints the tables."""
    options = parse_arguments()
    photographs = read_photographs(options.data / "utkface200_sample.zip", options.step)
    groupings = read_groupings(options.data / "utkface64.npz", list(photographs))
    names = options.detectors or list(DETECTORS)
    found = {
        (name, way): measure_subgroups(recall(name, way, options.data, photographs), groupings, seed=0)
        for name in names
        for way in WAYS
    }
    lines = [
        f"`scripts/measure_subgroups.py`, {date.today()}, {processor_name()}, OpenCV {cv2.__version__}; "
        f"{len(photographs)} photographs, longer side {DetectionConfig().detection_size}, score threshold "
        f"{DetectionConfig().score_threshold}, Haar's {THRESHOLDS['haar']}."
    ]
    for grouping in groupings:
        lines += ["", f"By {grouping}:", "", *table(grouping, found)]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out:
        replace_measurement(options.out, text)
    return 0


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Do the face detectors find people of all groups alike?")
    parser.add_argument("--data", type=Path, required=True, help="folder with utkface200_sample.zip and utkface64.npz")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, help="which ones (default: all)")
    parser.add_argument("--step", type=int, default=1, help="take every such photograph (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="document whose measured section is replaced")
    return parser.parse_args()


def read_photographs(path: Path, step: int) -> dict[str, Image]:
    """Returns every `step`-th photograph by its name."""
    with zipfile.ZipFile(path) as archive:
        files = {name: np.frombuffer(archive.read(name), np.uint8) for name in sorted(archive.namelist())[::step]}
    decoded = {name: cv2.imdecode(data, cv2.IMREAD_COLOR) for name, data in files.items()}
    return {Path(name).name: np.asarray(image, np.uint8) for name, image in decoded.items() if image is not None}


def read_groupings(path: Path, names: list[str]) -> Groupings:
    """Returns the guessed group, gender and age of each photograph."""
    file = np.load(path)
    rows = {str(name): row for row, name in enumerate(file["filename"])}
    chosen = [rows[name] for name in names]
    age = np.digitize(file["age"][chosen], list(AGES.values())) - 1
    return {
        "guessed group": file["race_names"][file["race"]][chosen],
        "gender": file["gender_names"][file["gender"]][chosen],
        "age": np.array(list(AGES))[age],
    }


def recall(name: str, way: str, data: Path, photographs: Mapping[str, Image]) -> Predictions:
    """Returns for each photograph whether its face was found."""
    model = str(data / "face_detection_yunet_2023mar.onnx") if name == "yunet" else ""
    config = DetectionConfig(detector=name, detector_model=model)
    config = replace(config, score_threshold=THRESHOLDS.get(name, config.score_threshold))
    detector = create_detector(config)
    images = tqdm(photographs.values(), desc=f"{name}, {way}", unit=" images", disable=None, leave=False)
    hits = np.array([bool(select_faces(detector.detect(WAYS[way](each)), config)) for each in images])
    return Predictions(np.stack([~hits, hits], 1).astype(np.float32), np.ones(len(hits), np.int64), ("missed", "found"))


def table(grouping: str, found: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[str]:
    """Returns the rows of one grouping: recall of each group, and the two furthest apart."""
    groups = next(iter(found.values()))[grouping]["groups"]
    counts = [f"{name} (n {group['n']})" for name, group in groups.items()]
    lines = [
        f"| detector | the face | {' | '.join(counts)} | largest gap, points (95 % interval) |",
        f"|---|---|{'---|' * (len(counts) + 1)}",
    ]
    for (name, way), groupings in found.items():
        measured, gap = groupings[grouping]["groups"], groupings[grouping]["largest_gap"]["accuracy"]
        cells = [f"{100 * group['accuracy']:.1f}" if "accuracy" in group else "too few" for group in measured.values()]
        cells.append(gap_in_words(gap) if gap else "")
        lines.append(f"| {name} | {way} | {' | '.join(cells)} |")
    return lines


def gap_in_words(gap: Mapping[str, Any]) -> str:
    """Returns how far two groups are apart, and which is found least."""
    low, high = (100 * end for end in gap["interval"])
    return f"{100 * gap['gap']:.1f} ({low:.1f} to {high:.1f}), {gap['lowest']} least" if gap["gap"] else "0"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as error:
        sys.exit(f"measure_subgroups: {error}")
