# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the time of a frame grows with faces and with the size of the image, without ROS."""

from functools import partial
from typing import Any

import numpy as np

from emotion_perception.benchmark.scene import FACES, VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table
from emotion_perception.core.classification import ClassifierOptions
from emotion_perception.core.detection import DetectorOptions
from emotion_perception.core.pipeline import Pipeline, PipelineOptions
from emotion_perception.reporting.timing import time_interleaved

_SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080))
_DETAIL = 640  # working size of the detector where there are many small faces


def run(setup: Setup) -> list[Table]:
    """Measures."""
    return [_faces(setup), _sizes(setup)]


def _pipeline(detection_size: int) -> Pipeline:
    options = PipelineOptions(
        detector=DetectorOptions(detection_size=detection_size), classifier=ClassifierOptions(device="cpu")
    )
    return Pipeline(options)


def _faces(setup: Setup) -> Table:
    pipeline = _pipeline(_DETAIL)
    rows: list[list[Any]] = []
    for wanted in FACES:
        image = setup.scene.image(0, VGA, wanted)
        faces = pipeline.track(image, 0.0)
        times = time_interleaved(
            {
                "track": partial(pipeline.track, image, 0.0),
                "recognize": partial(pipeline.recognize, image, faces, 0.0),
            },
            rounds=setup.rounds,
            what=f"{wanted} faces",
        )
        rows.append([wanted, len(faces), times["track"]["p50"], times["recognize"]["p50"]])
    slope = np.polyfit([row[1] for row in rows], [row[3] for row in rows], 1)[0]
    note = (
        f"640x480, detector at {_DETAIL} pixels (one thread), classifier with two threads; medians. Each further face "
        f"costs the classifier {slope:.2f} ms."
    )
    return Table("Faces", ["faces", "found", "find, ms", "recognize, ms"], rows, note)


def _sizes(setup: Setup) -> Table:
    pipeline = _pipeline(DetectorOptions.detection_size)
    images = {f"{width}x{height}": setup.scene.image(0, (width, height)) for width, height in _SIZES}
    calls = {name: partial(pipeline.process, image, 0.0) for name, image in images.items()}
    times = time_interleaved(calls, rounds=setup.rounds, what="sizes")
    rows = [[name, found["p50"], found["p99"]] for name, found in times.items()]
    return Table("Size of the image", ["picture", "ms a frame, p50", "p99"], rows, "One face, everything but ROS.")
