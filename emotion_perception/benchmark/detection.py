# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmark of face detectors: time per frame, and time and recall of tracking between detections."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.benchmark.int8_detector import int8_detector
from emotion_perception.benchmark.reference import DESCRIPTION, reference_work
from emotion_perception.benchmark.scene import VGA, Image
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table
from emotion_perception.core.detection import DETECTORS, DetectorOptions, FaceDetector, create_detector
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.core.images import iou
from emotion_perception.core.tracking import FaceTrackingPipeline, Tracker, TrackerOptions
from emotion_perception.core.tracking.detection_schedule import AUTO
from emotion_perception.core.types import Face
from emotion_perception.reporting.timing import time_interleaved

_SIZES = (320, 640)
_INTERVALS = (1, 3, 5, 9, AUTO)  # of detection, in frames
_MIN_IOU = 0.5
_FRAMES = 300
_REFERENCE = "reference"


def run(setup: Setup) -> list[Table]:
    """Measures and returns the tables of the section."""
    return [_detectors(setup), _tracking(setup)]


def _detectors(setup: Setup) -> Table:
    images = {faces: setup.scene.image(0, VGA, faces) for faces in (1, 8)}
    int8_file = int8_detector(setup)
    files = {**dict.fromkeys(DETECTORS, ""), **({"centerface int8": str(int8_file)} if int8_file else {})}
    configs = {
        (name, size): DetectorOptions(detector=name.split()[0], detection_size=size, detector_model=file)
        for name, file in files.items()
        for size in _SIZES
    }
    missing: list[list[Any]] = []
    calls: dict[str, Callable[[], list[Face]]] = {}
    for (name, size), config in configs.items():
        try:
            detector = create_detector(config)
        except EmotionPerceptionError as e:
            missing.append([name, size, f"not measured: {e}", None, None, None, None])
            continue
        calls |= {f"{name} {size} {faces}": partial(detector.detect, image) for faces, image in images.items()}
    times = time_interleaved({**calls, _REFERENCE: reference_work()}, rounds=setup.rounds, what="detectors")
    reference_ms = times[_REFERENCE]["p50"]
    rows: list[list[Any]] = []
    for name, size in configs:
        if f"{name} {size} 1" in times:
            one, eight = (times[f"{name} {size} {faces}"] for faces in images)
            detections = len(calls[f"{name} {size} 8"]())
            rows.append([name, size, one["p50"], one["p50"] / reference_ms, one["p99"], eight["p50"], detections])
    columns = [
        "detector",
        "longer side, px",
        "ms, one face, p50",
        "of the reference",
        "p99",
        "ms, eight faces, p50",
        "detections of eight faces",
    ]
    note = f"640x480, one thread. {DESCRIPTION}: {reference_ms:.2f} ms. Accuracy: docs/detectors.md."
    return Table("Face detectors", columns, rows + missing, note)


def _tracking(setup: Setup) -> Table:
    """Compares the faces with a detection interval with the detections on the same frames."""
    detector = create_detector(DetectorOptions())
    count = min(_FRAMES, 10 * setup.rounds)
    rows = []
    for faces in (1, 8):
        images = list(setup.scene.images(VGA, faces, count=count))
        tracked = {interval: _track(detector, images, interval) for interval in _INTERVALS}
        calls = {str(interval): _stream(detector, images, interval) for interval in _INTERVALS}
        times = time_interleaved(calls, rounds=count, what=f"tracking {faces}")
        for interval in _INTERVALS:
            overlaps = _overlaps(tracked[1], tracked[interval])
            tracks = len({face.track_id for frame in tracked[interval] for face in frame})
            rows.append(
                [
                    faces,
                    "auto" if interval == AUTO else interval,
                    times[str(interval)]["p50"],
                    times[str(interval)]["p99"],
                    f"{np.mean(overlaps >= _MIN_IOU):.2%}",
                    float(overlaps.mean()),
                    tracks,
                ]
            )
    columns = ["faces", "detection_interval", "ms per frame, p50", "p99", "recall", "mean IoU", "tracks"]
    note = (
        f"{count} frames of the clip at 640x480, {DetectorOptions.detector} at {DetectorOptions.detection_size}. "
        f"Recall and IoU are relative to the detections on every frame; a face is recalled with an IoU of {_MIN_IOU}."
    )
    return Table("Detection in every k-th frame, tracking in between", columns, rows, note)


def _track(detector: FaceDetector, images: Sequence[Image], interval: int) -> list[list[Face]]:
    """Returns the faces of each frame with a detection interval."""
    tracking = FaceTrackingPipeline(detector, None, Tracker(), clock_s=time.monotonic)
    options = TrackerOptions(detection_interval=interval)
    return [tracking.update(image, number / 30, DetectorOptions(), options) for number, image in enumerate(images)]


def _stream(detector: FaceDetector, images: Sequence[Image], interval: int) -> Callable[[], None]:
    """Returns a function that processes the next frame at each call."""
    tracking = FaceTrackingPipeline(detector, None, Tracker(), clock_s=time.monotonic)
    options = TrackerOptions(detection_interval=interval)
    numbers = iter(range(10**9))

    def step() -> None:
        number = next(numbers)
        tracking.update(images[number % len(images)], number / 30, DetectorOptions(), options)

    return step


def _overlaps(detected: Sequence[Sequence[Face]], tracked: Sequence[Sequence[Face]]) -> NDArray[np.float64]:
    """Returns for each detected face the highest IoU with a tracked face of the same frame."""
    pairs = zip(detected, tracked, strict=True)
    return np.array(
        [max((iou(face.box, other.box) for other in others), default=0.0) for faces, others in pairs for face in faces]
    )
