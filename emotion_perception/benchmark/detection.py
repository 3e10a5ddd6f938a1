# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Face detectors: time a frame, and what following between detections costs and saves."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.benchmark.int8_detector import int8_detector
from emotion_perception.benchmark.scene import VGA, BagImage
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table
from emotion_perception.core.detection import DETECTORS, DetectorOptions, FaceDetector, create_detector
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.core.images import iou
from emotion_perception.core.tracking import FaceTrackingPipeline, Tracker, TrackerOptions
from emotion_perception.core.types import Face
from emotion_perception.reporting.timing import time_interleaved

_SIZES = (320, 640)
_EVERY = (1, 2, 3, 5, 10)
_SAME_IOU = 0.5
_FRAMES = 300


def run(setup: Setup) -> list[Table]:
    """Measures."""
    return [_detectors(setup), _following(setup)]


def _detectors(setup: Setup) -> Table:
    images = {faces: setup.scene.image(0, VGA, faces) for faces in (1, 8)}
    small = int8_detector(setup)
    files = {**dict.fromkeys(DETECTORS, ""), **({"centerface int8": str(small)} if small else {})}
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
            missing.append([name, size, f"not measured: {e}", None, None, None])
            continue
        calls |= {f"{name} {size} {faces}": partial(detector.detect, image) for faces, image in images.items()}
    times = time_interleaved(calls, rounds=setup.rounds, what="detectors")
    rows: list[list[Any]] = []
    for name, size in configs:
        if f"{name} {size} 1" in times:
            one, eight = (times[f"{name} {size} {faces}"] for faces in images)
            found = len(calls[f"{name} {size} 8"]())
            rows.append([name, size, one["p50"], one["p99"], eight["p50"], found])
    columns = ["detector", "longer side, px", "ms, one face, p50", "p99", "ms, eight faces, p50", "boxes on the eight"]
    return Table("Face detectors", columns, rows + missing, "640x480, one thread. What each finds: docs/detectors.md.")


def _following(setup: Setup) -> Table:
    """Compares what is followed with what the detector would have found on the same frame."""
    detector = create_detector(DetectorOptions())
    count = min(_FRAMES, 10 * setup.rounds)
    rows = []
    for faces in (1, 8):
        images = list(setup.scene.images(VGA, faces, count=count))
        found = {every: _found(detector, images, every) for every in _EVERY}
        calls = {str(every): _stream(detector, images, every) for every in _EVERY}
        times = time_interleaved(calls, rounds=count, what=f"following {faces}")
        for every in _EVERY:
            overlaps = _overlaps(found[1], found[every])
            ids = len({face.track_id for frame in found[every] for face in frame})
            rows.append(
                [
                    faces,
                    every,
                    times[str(every)]["p50"],
                    times[str(every)]["p99"],
                    f"{np.mean(overlaps >= _SAME_IOU):.2%}",
                    float(overlaps.mean()),
                    ids,
                ]
            )
    columns = ["faces", "detection_interval", "ms a frame, p50", "p99", "recall", "mean overlap", "tracks"]
    note = (
        f"{count} frames of the clip at 640x480, centerface at 320, one thread. Recall and overlap (IoU) are "
        f"against the detector's own boxes on every frame; a box counts from an overlap of {_SAME_IOU} on."
    )
    return Table("Detecting every k-th frame, following between", columns, rows, note)


def _found(detector: FaceDetector, images: Sequence[BagImage], every: int) -> list[list[Face]]:
    tracking, options = FaceTrackingPipeline(detector, None, Tracker()), TrackerOptions(detection_interval=every)
    return [tracking.update(image, number / 30, DetectorOptions(), options) for number, image in enumerate(images)]


def _stream(detector: FaceDetector, images: Sequence[BagImage], every: int) -> Callable[[], None]:
    """Returns a function that works on the next frame each time it is called."""
    tracking, options = FaceTrackingPipeline(detector, None, Tracker()), TrackerOptions(detection_interval=every)
    numbers = iter(range(10**9))

    def step() -> None:
        number = next(numbers)
        tracking.update(images[number % len(images)], number / 30, DetectorOptions(), options)

    return step


def _overlaps(wanted: Sequence[Sequence[Face]], found: Sequence[Sequence[Face]]) -> NDArray[np.float64]:
    """Returns for every wanted face the overlap with the nearest one found in its frame."""
    pairs = zip(wanted, found, strict=True)
    return np.array(
        [max((iou(face.box, one.box) for one in there), default=0.0) for faces, there in pairs for face in faces]
    )
