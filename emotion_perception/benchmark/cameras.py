# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several cameras into one classifier node: what each further one costs."""

from typing import Any

import numpy as np

from emotion_perception.benchmark import nodes
from emotion_perception.benchmark.scene import VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table

_CAMERAS = ((1, 0), (2, 0), (3, 0), (4, 0), (4, 20))  # how many, max_queue_delay_ms
_RATE_HZ = 10
_CLASSIFIER = "emotion_classifier_node"


def run(setup: Setup) -> list[Table]:
    """Measures."""
    return [_cameras(setup)]


def _cameras(setup: Setup) -> Table:
    video = nodes.video(setup, VGA, 1)
    rows: list[list[Any]] = []
    for cameras, wait_ms in _CAMERAS:
        arguments = ["--source", str(video), "--rate", str(_RATE_HZ)]
        arguments += ["--cameras", str(cameras), "--max-wait-ms", str(wait_ms)]
        found = nodes.measure(setup, "latency_bench_cameras", VGA, arguments)
        if "error" in found:
            rows.append([cameras, wait_ms, f"not measured: {found['error']}", *[None] * 7])
            continue
        cpu, answers = found["cpu_percent"], found["answers"]
        times = (*(found["latency_ms"][key] for key in ("p50", "p99")), found["classify_ms"]["p50"])
        rates = sum(found["answers_per_s"]), sum(answers.values()) - answers.get("ok", 0), found["frames_dropped"]
        rows.append([cameras, wait_ms, *times, *rates, cpu[_CLASSIFIER], cpu["all"]])
    columns = ["cameras", "max_queue_delay_ms", "p50, ms", "p99", "classify p50, ms", "answers a second"]
    columns += ["not ok", "dropped", "CPU of the classifier, %", "CPU of all, %"]
    note = (
        f"640x480, one face, {_RATE_HZ} Hz each, {setup.seconds:.0f} s; a camera, a detection and an overlay node "
        "for each, one classifier node for all."
    )
    measured = [row for row in rows if row[1] == 0 and row[-1] is not None]
    if len(measured) > 1:
        counts = [row[0] for row in measured]
        own, whole = (np.polyfit(counts, [row[column] for row in measured], 1)[0] for column in (-2, -1))
        note += f" Each further camera costs the classifier {own:.1f} % of a core, and all nodes {whole:.1f} %."
    return Table("Cameras", columns, rows, note)
