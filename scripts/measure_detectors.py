#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures what each face detector finds and what it costs; writes the table of docs/detectors.md.

    scripts/measure_detectors.py --data ../shared/data --out docs/detectors.md

A hit is a photograph of one face on which at least one box was found. A clip's frame is right when it has as many
boxes as faces. Figures with a slash are for the two score thresholds. Times are medians of one thread: a 640x360 frame
with one face, and 1000x667 with five.
"""

import argparse
import contextlib
import os
import platform
import signal
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion_perception.core.config import DETECTORS, DetectionConfig
from emotion_perception.core.detection.factory import FaceDetector, create_detector, select_faces
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.reporting.documents import replace_measurement
from emotion_perception.reporting.provenance import processor_name

SIZES = (320, 640)
ONE_FACE_CLIPS = ("WolfgangLanger_Pexels.mp4", "single_face.mp4")
THRESHOLDS = (0.5, 0.35)
INT8 = "centerface int8"
Image = NDArray[np.uint8]


def main() -> int:
    """Measures every detector at both sizes and writes or prints the table."""
    options = parse_arguments()
    lines = [
        f"`scripts/measure_detectors.py`, {date.today()}, {platform.machine()}, {os.cpu_count()} cores "
        f"({processor_name()}), OpenCV {cv2.__version__}, every {options.step}th photograph, "
        f"score thresholds {' / '.join(map(str, THRESHOLDS))}.",
        "",
        "| detector | longer side | hit | one-face clips right | no_face frames with a box | boxes on five faces | ms "
        "| ms, five faces |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    for name in [*DETECTORS, *([INT8] if options.int8 else [])]:
        for size in SIZES:
            lines.append(table_row(name, size, options))
            print(lines[-1], flush=True)
    if options.out:
        replace_measurement(options.out, "\n".join(lines) + "\n")
    return 0


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="What each face detector finds and what it costs.")
    parser.add_argument("--data", type=Path, required=True, help="folder with utkface200_sample.zip and media/")
    parser.add_argument("--out", type=Path, help="document whose measured section is replaced")
    parser.add_argument("--int8", type=Path, metavar="FILE", help="also CenterFace as `quantize --detector` made it")
    parser.add_argument("--step", type=int, default=13, help="take every such photograph")
    parser.add_argument("--pause", type=int, metavar="PID", help="stop this process while the time is taken")
    return parser.parse_args()


def table_row(name: str, size: int, options: argparse.Namespace) -> str:
    """Returns the figures of one detector at one size."""
    detector = create_detector(
        DetectionConfig(detector=name.split()[0], detection_size=size, detector_model=own_file(name, options))
    )
    media = options.data / "media"
    hit = counts(detector, zipped_images(options.data / "utkface200_sample.zip", options.step)) > 0
    right = np.concatenate([counts(detector, frames(media / clip, 3)) for clip in ONE_FACE_CLIPS]) == 1
    nobody = counts(detector, frames(media / "no_face.mp4", 1)) > 0
    group = np.asarray(cv2.imread(str(media / "multi_face.jpg")), np.uint8)
    with paused(options.pause):
        one_ms = median_ms(detector, next(frames(media / ONE_FACE_CLIPS[0], 1)))
        five_ms = median_ms(detector, group)
    cells = [
        name,
        str(size),
        slashed(hit.mean(axis=0), ".3f"),
        slashed(right.mean(axis=0), ".3f"),
        f"{slashed(nobody.sum(axis=0), 'd')} of {len(nobody)}",
        slashed(counts(detector, [group])[0], "d"),
        f"{one_ms:.1f}",
        f"{five_ms:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def own_file(name: str, options: argparse.Namespace) -> str:
    """Returns the file where it is not the manifest's: YuNet's lies beside the data."""
    own = {"yunet": options.data / "face_detection_yunet_2023mar.onnx", INT8: options.int8}
    return str(own.get(name, ""))


def slashed(values: NDArray[np.generic], form: str) -> str:
    """Returns the figures of all thresholds in one cell."""
    return " / ".join(format(value, form) for value in values.tolist())


def counts(detector: FaceDetector, images: Iterable[Image]) -> NDArray[np.intp]:
    """Returns (N, thresholds): how many faces are found on each image."""
    configs = [DetectionConfig(score_threshold=threshold) for threshold in THRESHOLDS]
    found = (detector.detect(image) for image in images)
    return np.array([[len(select_faces(faces, config)) for config in configs] for faces in found])


def zipped_images(path: Path, step: int) -> Iterator[Image]:
    """Yields every `step`-th image of an archive."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist())[::step]:
            image = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
            if image is not None:
                yield np.asarray(image, np.uint8)


def frames(path: Path, step: int) -> Iterator[Image]:
    """Yields every `step`-th frame of a clip."""
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise FileNotFoundError(path)
    index = 0
    while (answer := capture.read())[0]:
        if index % step == 0:
            yield np.asarray(answer[1], np.uint8)
        index += 1


def median_ms(detector: FaceDetector, image: Image, runs: int = 30) -> float:
    """Returns the median time of one detection, after a warm-up.

    It is processor time of one thread: on an idle machine that is the time that passes.
    """
    times = []
    for _ in range(runs + 3):
        start = time.process_time()
        detector.detect(image)
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times[3:]))


@contextlib.contextmanager
def paused(pid: int | None) -> Iterator[None]:
    """Stops a process for the time of the block."""
    if pid is None:
        yield
        return
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as error:
        sys.exit(f"measure_detectors: {error}")
