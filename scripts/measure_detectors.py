#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures accuracy and time of each face detector; writes the table of docs/detectors.md.

    scripts/measure_detectors.py --data DATA --out docs/detectors.md

A hit is a photograph of one face with at least one detection. A frame of a clip is correct when it has as many
detections as faces. Cells with a slash hold the values at the two score thresholds. Times are medians with one thread:
of a 640x360 frame with one face, and of a 1000x667 image with five faces.
"""

import argparse
import contextlib
import os
import platform
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from image_files import Image, video_frames, zipped_photographs
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion_perception.core.detection import DETECTORS, DetectorOptions, FaceDetector, create_detector, select_faces
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.reporting.documents import replace_measurement
from emotion_perception.reporting.provenance import processor_name

SIZES = (320, 640)
ONE_FACE_CLIPS = ("WolfgangLanger_Pexels.mp4", "single_face.mp4")
THRESHOLDS = (0.5, 0.35)
INT8 = "centerface int8"


def main() -> int:
    """Measures every detector at both sizes, prints the table and writes it into `--out`; returns the exit code."""
    options = parse_arguments()
    lines = [
        f"`scripts/measure_detectors.py`, {date.today()}, {platform.machine()}, {os.cpu_count()} cores "
        f"({processor_name()}), OpenCV {cv2.__version__}, every {options.step}th photograph, "
        f"score thresholds {' / '.join(map(str, THRESHOLDS))}.",
        "",
        "| detector | longer side | hit rate | one-face clips correct | no_face frames with detections "
        "| detections on five faces | ms | ms, five faces |",
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with utkface200_sample.zip and media/")
    parser.add_argument("--out", type=Path, help="Markdown document whose generated section is replaced")
    parser.add_argument("--int8", type=Path, metavar="FILE", help="also CenterFace as written by `quantize --detector`")
    parser.add_argument("--step", type=int, default=13, help="measure every STEP-th photograph (default: %(default)s)")
    parser.add_argument("--pause", type=int, metavar="PID", help="process to suspend while times are measured")
    return parser.parse_args()


def table_row(name: str, size: int, options: argparse.Namespace) -> str:
    """Returns the table row of one detector at one detection size."""
    detector = create_detector(
        DetectorOptions(
            detector=name.split()[0], detection_size=size, detector_model=str(options.int8) if name == INT8 else ""
        )
    )
    media = options.data / "media"
    hit = counts(detector, photographs(options)) > 0
    correct = np.concatenate([counts(detector, video_frames(media / clip, 3)) for clip in ONE_FACE_CLIPS]) == 1
    false = counts(detector, video_frames(media / "no_face.mp4")) > 0
    group = np.asarray(cv2.imread(str(media / "multi_face.jpg")), np.uint8)
    with paused(options.pause):
        one_ms = median_ms(detector, next(video_frames(media / ONE_FACE_CLIPS[0])))
        five_ms = median_ms(detector, group)
    cells = [
        name,
        str(size),
        slashed(hit.mean(axis=0), ".3f"),
        slashed(correct.mean(axis=0), ".3f"),
        f"{slashed(false.sum(axis=0), 'd')} of {len(false)}",
        slashed(counts(detector, [group])[0], "d"),
        f"{one_ms:.1f}",
        f"{five_ms:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def photographs(options: argparse.Namespace) -> Iterator[Image]:
    """Yields the photographs of one face each."""
    return (image for _, image in zipped_photographs(options.data / "utkface200_sample.zip", options.step))


def slashed(values: NDArray[np.generic], form: str) -> str:
    """Returns the values of all thresholds as one cell."""
    return " / ".join(format(value, form) for value in values.tolist())


def counts(detector: FaceDetector, images: Iterable[Image]) -> NDArray[np.intp]:
    """Returns the number of detections on each image at each threshold, (N, thresholds)."""
    configs = [DetectorOptions(score_threshold=threshold) for threshold in THRESHOLDS]
    detections = (detector.detect(image) for image in images)
    return np.array([[len(select_faces(faces, config)) for config in configs] for faces in detections])


def median_ms(detector: FaceDetector, image: Image, runs: int = 30) -> float:
    """Returns the median CPU time of one detection in milliseconds, after a warm-up.

    The detector has one thread, so on an idle machine this is the wall time, too.
    """
    times = []
    for _ in range(runs + 3):
        start = time.process_time()
        detector.detect(image)
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times[3:]))


@contextlib.contextmanager
def paused(pid: int | None) -> Iterator[None]:
    """Suspends a process during the block."""
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
