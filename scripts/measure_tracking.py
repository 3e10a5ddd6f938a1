#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures what a detection interval saves and costs on scripted streams; writes the tables of docs/detectors.md.

    scripts/measure_tracking.py --data DATA --out docs/detectors.md

Photographs of one face move over a background as `tracking_scenes.py` says, so their boxes are known. A face is
recalled when a box of the frame overlaps its true one by an IoU of 0.5; a box that no true one touches is false; a
switch is a face that gets another track id than it had. Times are processor time of detection and tracking.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from image_files import Image, video_frames, zipped_photographs
from tracking_scenes import DURATION_S, SCENES, Cutout, Moment, TrueFace, cutouts, stream

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion_perception.core.detection import DetectorOptions, FaceDetector, create_detector
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.core.images import iou_matrix
from emotion_perception.core.tracking import FaceTrackingPipeline, Tracker, TrackerOptions, best_pairs
from emotion_perception.core.types import Face
from emotion_perception.reporting.documents import replace_measurement
from emotion_perception.reporting.provenance import processor_name

INTERVALS = (1, 3, 5, 9, 0)
MIN_IOU, TOUCHING_IOU = 0.5, 0.1


@dataclass
class Score:
    """What was measured on some streams.

    Attributes:
        ious: of each expected face with its box, 0 where it was not recalled.
        false: number of false boxes.
        switches: number of changed track ids.
        times_ms: of each frame.
    """

    ious: list[float] = field(default_factory=list)
    false: int = 0
    switches: int = 0
    times_ms: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of the expected faces that were recalled."""
        return float(np.mean(np.array(self.ious) > 0))

    def add_frame(self, faces: Sequence[Face], truth: Sequence[TrueFace], last_ids: dict[int, int]) -> None:
        """Adds the faces of a frame.

        Args:
            faces: with track ids.
            truth: the faces that the frame shows.
            last_ids: the last track id by the number of the true face; is updated.
        """
        ious = iou_matrix(_boxes([each.box.xyxy for each in truth]), _boxes([each.box.xyxy for each in faces]))
        pairs = best_pairs(ious, MIN_IOU)
        for row, each in enumerate(truth):
            if each.expected:
                self.ious.append(float(ious[row, pairs[row]]) if row in pairs else 0.0)
            if row in pairs:
                track_id = faces[pairs[row]].track_id
                self.switches += last_ids.get(each.number, track_id) != track_id
                last_ids[each.number] = track_id
        self.false += int((~(ious >= TOUCHING_IOU).any(axis=0)).sum())


def main() -> int:
    """Measures all intervals on all scenes, prints the tables and writes them into `--out`; returns the exit code."""
    options = parse_arguments()
    detector = create_detector(DetectorOptions(num_threads=1))
    faces = cutouts(
        zipped_photographs(options.data / "utkface200_sample.zip", options.step), detector, options.photographs
    )
    background = next(video_frames(options.data / "media" / "no_face.mp4"))
    names = ["every frame", *(f"every {interval}" for interval in INTERVALS[1:-1]), "auto"]
    lines = [
        f"`scripts/measure_tracking.py`, {date.today()}, {processor_name()}; {len(faces)} photographs, "
        f"{DURATION_S:.0f} s of each scene at 640x480 and 30 Hz, {DetectorOptions.detector} at "
        f"{DetectorOptions.detection_size}, one thread.",
        "",
        f"| recall, mean IoU | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
    ]
    print("\n".join(lines))
    total = {interval: Score() for interval in INTERVALS}
    for name, scene in SCENES.items():
        scores = measure(scene, faces, background, detector)
        cells = [f"{scores[each].recall:.3f}, {np.mean(scores[each].ious):.2f}" for each in INTERVALS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
        for interval, score in scores.items():
            sum_ = total[interval]
            sum_.ious += score.ious
            sum_.times_ms += score.times_ms
            sum_.false += score.false
            sum_.switches += score.switches
    rows = {
        "all scenes: recall": [f"{score.recall:.3f}" for score in total.values()],
        "mean IoU": [f"{np.mean(score.ious):.3f}" for score in total.values()],
        "false boxes": [str(score.false) for score in total.values()],
        "track switches": [str(score.switches) for score in total.values()],
        "ms a frame, mean": [f"{np.mean(score.times_ms):.2f}" for score in total.values()],
        "ms a frame, p99": [f"{np.percentile(score.times_ms, 99):.1f}" for score in total.values()],
    }
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()]
    print("\n".join(lines[-len(rows) :]))
    if options.out:
        replace_measurement(options.out, "\n".join(lines) + "\n", "detection intervals")
    return 0


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with utkface200_sample.zip and media/")
    parser.add_argument("--photographs", type=int, default=4, help="number of faces (default: %(default)s)")
    parser.add_argument("--step", type=int, default=350, help="take every STEP-th photograph (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="Markdown document whose generated section is replaced")
    return parser.parse_args()


def measure(
    scene: Callable[[float], Moment], faces: Sequence[Cutout], background: Image, detector: FaceDetector
) -> dict[int, Score]:
    """Returns the score of each interval on one scene, with each of the faces in turn."""
    scores = {interval: Score() for interval in INTERVALS}
    for first in range(len(faces)):
        pipelines = {
            interval: FaceTrackingPipeline(detector, None, Tracker(), clock_s=time.thread_time)
            for interval in INTERVALS
        }
        last_ids: dict[int, dict[int, int]] = {interval: {} for interval in INTERVALS}
        for stamp_s, image, truth in stream(scene, [*faces[first:], *faces[:first]], background, seed=first):
            for interval, score in scores.items():
                begun_s = time.thread_time()
                found = pipelines[interval].update(
                    image, stamp_s, DetectorOptions(), TrackerOptions(detection_interval=interval)
                )
                score.times_ms.append((time.thread_time() - begun_s) * 1e3)
                score.add_frame(found, truth, last_ids[interval])
    return scores


def _boxes(xyxys: Sequence[tuple[int, int, int, int]]) -> np.ndarray:
    return np.array(xyxys, np.float64).reshape(-1, 4)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as error:
        sys.exit(f"measure_tracking: {error}")
