# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmark of the time per frame by number of faces and by image size, without ROS."""

from functools import partial
from typing import Any

import numpy as np

from emotion_perception.benchmark.scene import FACES, VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table
from emotion_perception.core.classification import ClassifierOptions
from emotion_perception.core.detection import DetectorOptions
from emotion_perception.core.pipeline import Pipeline, PipelineOptions
from emotion_perception.core.tracking import TrackerOptions
from emotion_perception.reporting.timing import time_interleaved

_SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080))
_DETECTION_SIZE = 640  # for many small faces


def run(setup: Setup) -> list[Table]:
    """Measures and returns the tables of the section."""
    return [_faces(setup), _sizes(setup)]


def _pipeline(detection_size: int) -> Pipeline:
    options = PipelineOptions(
        detector=DetectorOptions(detection_size=detection_size),
        tracker=TrackerOptions(detection_interval=1),
        classifier=ClassifierOptions(device="cpu"),
    )
    return Pipeline(options)


def _faces(setup: Setup) -> Table:
    pipeline = _pipeline(_DETECTION_SIZE)
    rows: list[list[Any]] = []
    for count in FACES:
        image = setup.scene.image(0, VGA, count)
        faces = pipeline.track(image, 0.0)
        times = time_interleaved(
            {
                "track": partial(pipeline.track, image, 0.0),
                "recognize": partial(pipeline.recognize, image, faces, 0.0),
            },
            rounds=setup.rounds,
            what=f"{count} faces",
        )
        rows.append([count, len(faces), times["track"]["p50"], times["recognize"]["p50"]])
    slope = np.polyfit([row[1] for row in rows], [row[3] for row in rows], 1)[0]
    note = (
        f"640x480, detector at {_DETECTION_SIZE} pixels (one thread), classifier with two threads; medians. "
        f"Each additional face takes {slope:.2f} ms in the classifier."
    )
    return Table("Faces", ["faces", "detected", "detect and track, ms", "recognize, ms"], rows, note)


def _sizes(setup: Setup) -> Table:
    pipeline = _pipeline(DetectorOptions.detection_size)
    images = {f"{width}x{height}": setup.scene.image(0, (width, height)) for width, height in _SIZES}
    calls = {name: partial(pipeline.process, image, 0.0) for name, image in images.items()}
    times = time_interleaved(calls, rounds=setup.rounds, what="sizes")
    rows = [[name, of_size["p50"], of_size["p99"]] for name, of_size in times.items()]
    return Table("Image size", ["image", "ms per frame, p50", "p99"], rows, "One face, all stages without ROS.")
