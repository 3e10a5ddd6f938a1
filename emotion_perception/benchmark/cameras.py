# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmark of several cameras with one classifier node: latency and CPU usage."""

from typing import Any

import numpy as np

from emotion_perception.benchmark import nodes
from emotion_perception.benchmark.scene import VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table

_CAMERAS = ((1, 0), (2, 0), (3, 0), (4, 0), (4, 20))  # number of cameras, max_queue_delay_ms
_RATE_HZ = 10
_CLASSIFIER = "emotion_classifier_node"


def run(setup: Setup) -> list[Table]:
    """Measures and returns the tables of the section."""
    return [_cameras(setup)]


def _cameras(setup: Setup) -> Table:
    video = nodes.video(setup, VGA, 1)
    rows: list[list[Any]] = []
    for cameras, delay_ms in _CAMERAS:
        arguments = ["--source", str(video), "--rate", str(_RATE_HZ)]
        arguments += ["--cameras", str(cameras), "--max-queue-delay-ms", str(delay_ms)]
        result = nodes.measure(setup, "latency_bench_cameras", VGA, arguments)
        if "error" in result:
            rows.append([cameras, delay_ms, f"not measured: {result['error']}", *[None] * 7])
            continue
        cpu, statuses = result["cpu_percent"], result["statuses"]
        times = (*(result["latency_ms"][key] for key in ("p50", "p99")), result["classify_ms"]["p50"])
        rates = (
            sum(result["emotion_arrays_per_s"]),
            sum(statuses.values()) - statuses.get("ok", 0),
            result["frames_dropped"],
        )
        rows.append([cameras, delay_ms, *times, *rates, cpu[_CLASSIFIER], cpu["all"]])
    columns = ["cameras", "max_queue_delay_ms", "p50, ms", "p99", "classify p50, ms", "EmotionArrays/s"]
    columns += ["not ok", "dropped", "CPU of the classifier, %", "CPU of all, %"]
    note = (
        f"640x480, one face, {_RATE_HZ} Hz each, {setup.seconds:.0f} s; a camera, a detection and an overlay node "
        "per camera and one classifier node for all of them."
    )
    measured = [row for row in rows if row[1] == 0 and row[-1] is not None]
    if len(measured) > 1:
        counts = [row[0] for row in measured]
        classifier, total = (np.polyfit(counts, [row[column] for row in measured], 1)[0] for column in (-2, -1))
        note += (
            f" Each additional camera takes {classifier:.1f} % of a core in the classifier node, and {total:.1f} % in "
            "all nodes."
        )
    return Table("Cameras", columns, rows, note)
