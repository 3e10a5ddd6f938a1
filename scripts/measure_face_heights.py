#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures how small a face may be for the detectors and the classifier; writes the tables of docs/detectors.md.

    scripts/measure_face_heights.py --data DATA --out docs/detectors.md

Photographs of one face are scaled so that the face has a certain height, and pasted into the center of a gray image of
640x480, in full and in reduced light. A face counts as found when a detection has its center on the photograph; any
other detection is false. The classifier is measured on FER-2013's PublicTest images, scaled down and up again.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from image_files import Image, video_frames, zipped_photographs
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion_perception.core.classification import ClassifierOptions, create_classifier
from emotion_perception.core.detection import DetectorOptions, create_detector, select_faces
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.core.types import Face
from emotion_perception.reporting.documents import replace_measurement
from emotion_perception.reporting.provenance import processor_name

HEIGHTS = (16, 24, 32, 42, 56, 70, 140, 210)
LIGHTS = (1.0, 0.15, 0.05)
SETTINGS = (("centerface", 320), ("yunet", 320), ("yunet", 480), ("yunet", 640))
FACE_IN_PHOTOGRAPH, FACE_IN_FER = 0.7, 0.93  # height of the face, as a share of the image's
WH, GRAY = (640, 480), 128
TIMED_RUNS = 30


class Measurement(NamedTuple):
    """What one detector does in one light.

    Attributes:
        found: bool (heights, photographs).
        false: number of detections beside the photographs, and on the frames without a face.
        frames: number of images in which these were counted.
        ms: median processor time of one image with a face of 70 pixels.
    """

    found: NDArray[np.bool_]
    false: int
    frames: int
    ms: float


def main() -> int:
    """Measures all settings, prints the tables and writes them into `--out`; returns the exit code."""
    options = parse_arguments()
    names = [name for name, _ in zipped_photographs(options.data / "utkface200_sample.zip", options.step)]
    groups = read_groups(options.data / "utkface64.npz", names)
    tasks = [(options.data, options.step, light, *setting) for light in LIGHTS for setting in SETTINGS]
    heights = " | ".join(f"{height} px" for height in HEIGHTS)
    lines = [
        f"`scripts/measure_face_heights.py`, {date.today()}, {processor_name()}; {len(names)} photographs, "
        f"score threshold {DetectorOptions().score_threshold}; recall, and in brackets that of the guessed group "
        "that is found least often.",
        "",
        f"| light | detector | longer side | {heights} | false | ms |",
        f"|---|---|---|{'---|' * (len(HEIGHTS) + 2)}",
    ]
    print("\n".join(lines))
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        accuracy = pool.submit(emotion_accuracy, options.data / "fer2013.npz", options.step)
        for task, measured in zip(tasks, pool.map(measure, tasks), strict=True):
            lines.append(row(task[2:], measured, groups))
            print(lines[-1], flush=True)
        emotions = accuracy.result()
    lines += [
        "",
        f"| | {heights} |",
        f"|---|{'---|' * len(HEIGHTS)}",
        f"| `{ClassifierOptions.model}` on PublicTest, top-1 | {' | '.join(f'{value:.3f}' for value in emotions)} |",
    ]
    print("\n".join(lines[-4:]))
    if options.out:
        replace_measurement(options.out, "\n".join(lines) + "\n", "face heights")
    return 0


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with utkface200_sample.zip, utkface64.npz, fer2013.npz, media/"
    )
    parser.add_argument("--step", type=int, default=13, help="measure every STEP-th image (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="Markdown document whose generated section is replaced")
    return parser.parse_args()


def read_groups(path: Path, names: Sequence[str]) -> NDArray[np.str_]:
    """Returns the guessed group of each photograph."""
    file = np.load(path)
    rows = {str(name): row for row, name in enumerate(file["filename"])}
    groups: NDArray[np.str_] = file["race_names"][file["race"]][[rows[name] for name in names]]
    return groups


def measure(task: tuple[Path, int, float, str, int]) -> Measurement:
    """Measures one detector in one light.

    Args:
        task: data folder, step of the photographs, light, name of the detector, longer side in pixels.
    """
    data, step, light, name, size = task
    detector = create_detector(DetectorOptions(detector=name, detection_size=size))
    thresholds = DetectorOptions(min_face_px=1)
    photographs = [photograph for _, photograph in zipped_photographs(data / "utkface200_sample.zip", step)]
    empty = [dimmed(frame, light) for frame in video_frames(data / "media" / "no_face.mp4")]
    found = np.zeros((len(HEIGHTS), len(photographs)), bool)
    false = sum(len(select_faces(detector.detect(frame), thresholds)) for frame in empty)
    times = []
    for row_index, height in enumerate(HEIGHTS):
        for column, photograph in enumerate(photographs):
            image, side = scene(photograph, height, light)
            begun = time.process_time()
            faces = select_faces(detector.detect(image), thresholds)
            if height == 70 and len(times) < TIMED_RUNS:
                times.append(time.process_time() - begun)
            hits = [is_on_photograph(face, side) for face in faces]
            found[row_index, column] = any(hits)
            false += hits.count(False)
    return Measurement(found, false, len(empty) + found.size, 1000 * float(np.median(times)))


def scene(photograph: Image, height: int, light: float) -> tuple[Image, int]:
    """Returns the gray image with the photograph in its center, and the side of the photograph in pixels."""
    side = round(height / FACE_IN_PHOTOGRAPH)
    image = np.full((WH[1], WH[0], 3), GRAY, np.uint8)
    top, left = (WH[1] - side) // 2, (WH[0] - side) // 2
    image[top : top + side, left : left + side] = cv2.resize(photograph, (side, side), interpolation=cv2.INTER_AREA)
    return dimmed(image, light), side


def dimmed(image: Image, light: float) -> Image:
    """Returns the image in reduced light, rounded to whole gray levels."""
    return image if light == 1 else np.asarray(np.rint(image * light), np.uint8)


def is_on_photograph(face: Face, side: int) -> bool:
    """Returns whether the center of a detection is on the photograph."""
    return all(abs(center - size / 2) <= side / 2 for center, size in zip(face.box.center_xy, WH, strict=True))


def emotion_accuracy(path: Path, step: int) -> list[float]:
    """Returns the accuracy of the shipped model on faces of each height."""
    file = np.load(path)
    rows = np.flatnonzero(file["split"] == list(file["split_names"]).index("PublicTest"))[:: max(1, step // 4)]
    images, names = file["images"][rows], file["class_names"]
    labels = [str(names[label]) for label in file["labels"][rows]]
    classifier = create_classifier(ClassifierOptions(device="cpu"))
    accuracies = []
    for height in HEIGHTS:
        side = round(height / FACE_IN_FER)
        crops = [cv2.cvtColor(resized(image, side), cv2.COLOR_GRAY2BGR) for image in images]
        predicted = [
            classifier.classify(crops[start : start + 16]).argmax(axis=1) for start in range(0, len(crops), 16)
        ]
        guesses = [classifier.labels[index] for index in np.concatenate(predicted)]
        accuracies.append(float(np.mean([guess == label for guess, label in zip(guesses, labels, strict=True)])))
    return accuracies


def resized(image: Image, side: int) -> Image:
    """Returns a square image of that side; the 48 pixels of FER-2013 are not exceeded."""
    side = min(side, image.shape[0])
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def row(setting: tuple[float, str, int], measured: Measurement, groups: NDArray[np.str_]) -> str:
    """Returns the table row of one setting."""
    light, name, size = setting
    cells = []
    for found in measured.found:
        lowest = min(found[groups == group].mean() for group in np.unique(groups))
        cells.append(f"{found.mean():.2f} ({lowest:.2f})")
    false = f"{measured.false} of {measured.frames}"
    return f"| {light:g} | {name} | {size} | {' | '.join(cells)} | {false} | {measured.ms:.1f} |"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as error:
        sys.exit(f"measure_face_heights: {error}")
