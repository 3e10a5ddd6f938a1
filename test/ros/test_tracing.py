# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Moments of frames are kept where they are asked for, and nowhere else."""

import csv
import os
import subprocess
import sys

from emotion_perception.ros.bench.latency_bench import hops, read_trace
from emotion_perception.ros.tracing import VARIABLE

MARKS = """
from emotion_perception.ros.tracing import Tracer
tracer = Tracer("camera_node")
tracer.mark("begun", 5)
tracer.mark("grabbed", 5, 17)
tracer.close()
"""


def traced(tmp_path, **variables):
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE} | variables
    subprocess.run([sys.executable, "-c", MARKS], env=environment, check=True, cwd=tmp_path)


def test_without_the_variable_nothing_is_written(tmp_path):
    traced(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_moments_are_written_when_the_node_is_destroyed(tmp_path):
    traced(tmp_path, **{VARIABLE: str(tmp_path / "trace")})
    (path,) = (tmp_path / "trace").iterdir()
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["point"], row["stamp_ns"]) for row in rows] == [("begun", "5"), ("grabbed", "5")]
    assert read_trace(tmp_path / "trace")["camera_node"]["grabbed"] == {5: 17}


def test_hops_are_between_the_moments_and_leave_out_images_with_a_gap():
    ms = 1_000_000
    trace = {
        "camera_node": {"grabbed": {1: 0, 2: 0}, "begun": {1: 1 * ms, 2: 1 * ms}},
        "face_detection_node": {"image_received": {1: 4 * ms}, "begun": {1: 5 * ms, 2: 5 * ms}},
        "emotion_classifier_node": {"result_received": {1: 16 * ms, 2: 9 * ms}, "begun": {1: 17 * ms, 2: 10 * ms}},
    }
    found = hops(trace, {1: (0, 25 * ms, 10.0, 6.0), 2: (0, 30 * ms, 1.0, 1.0)})
    assert [times["mean"] for times in found.values()] == [1, 3, 1, 10, 1, 1, 6, 2]
