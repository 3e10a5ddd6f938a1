#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Soak test: runs the four nodes for a long time and checks for growth and lost frames; `make soak MINUTES=30`.

    python scripts/soak.py --minutes 30 --out out/soak

Memory, threads and open files of each process are sampled every five seconds, and the frame counts of every message are
checked against received = processed + dropped + failed + pending. After the warm-up (a fifth of the time, at most five
minutes) the upper 95 % confidence bound of the memory's slope must be below 20 MiB/h, and the number of threads and
files must not grow. Writes soak.json, soak.csv and soak.png; the exit code is 1 if a check fails.
"""

import argparse
import csv
import json
import math
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from scipy import stats
from tqdm import tqdm

from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.reporting.output_folder import OutputFolder
from emotion_perception.ros.conversions import EmotionArray, FaceArray
from emotion_perception.ros.demo.domain import ros_in_reserved_domain
from emotion_perception.ros.demo.runner import NODES, built_in_source
from emotion_perception.ros.demo.supervisor import Supervisor
from emotion_perception.ros.executor import FaultTolerantExecutor
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.signals import stop_event

PERIOD_S, START_TIMEOUT_S = 5.0, 60.0
MIN_S = 5 * PERIOD_S  # a slope and its confidence need three samples after the warm-up
FILES = ("soak.json", "soak.csv", "soak.png")
MAX_MIB_PER_HOUR, CONFIDENCE = 20.0, 0.95
COLUMNS = ("seconds", "node", "memory_mib", "threads", "files")


class SoakMonitor(Node):
    """Counts EmotionArrays, and frame counts that do not add up."""

    def __init__(self) -> None:
        super().__init__("soak_monitor")
        self.emotion_arrays = self.checked = self.wrong = 0
        self.create_subscription(EmotionArray, "emotions", self._on_emotions, RESULTS)
        self.create_subscription(FaceArray, "faces", self._on_faces, RESULTS)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_status, 50)

    def _on_emotions(self, message: Any) -> None:
        self.emotion_arrays += 1

    def _on_faces(self, message: Any) -> None:
        total = message.frames_processed + message.frames_dropped + message.frames_failed
        self._check(0 <= message.frames_received - total <= 1)  # one frame may be pending

    def _on_status(self, message: DiagnosticArray) -> None:
        for entry in message.status:
            values = {pair.key: pair.value for pair in entry.values}
            if "pending" in values:
                total = sum(int(values[name]) for name in ("processed", "dropped", "failed", "pending"))
                self._check(int(values["received"]) == total)

    def _check(self, adds_up: bool) -> None:
        self.checked += 1
        self.wrong += not adds_up


def usage(pid: int) -> tuple[float, int, int]:
    """Returns resident memory in MiB, number of threads and number of open files of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(list(Path(f"/proc/{pid}/task").iterdir())), files


def growth_of(rows: Sequence[dict[str, Any]], warm_up_s: float) -> dict[str, Any]:
    """Returns memory slope, threads and open files of each node after the warm-up."""
    growth = {}
    for name in NODES:
        own = [row for row in rows if row["node"] == name and row["seconds"] >= warm_up_s]
        hours = np.array([row["seconds"] for row in own]) / 3600
        fit = stats.linregress(hours, [row["memory_mib"] for row in own])
        error = np.nan_to_num(fit.stderr)  # NaN where the memory is constant
        bound = fit.slope + error * stats.t.ppf(CONFIDENCE, len(own) - 2)
        growth[name] = {
            "memory_mib": round(own[-1]["memory_mib"], 1),
            "mib_per_hour": round(float(fit.slope), 2),
            "mib_per_hour_upper_95": round(float(bound), 2),
            "threads": [own[0]["threads"], own[-1]["threads"]],
            "files": [own[0]["files"], own[-1]["files"]],
        }
    return growth


def failures_of(summary: dict[str, Any]) -> list[str]:
    """Returns a line for each failed check."""
    lines = []
    for name, node in summary["nodes"].items():
        if node["mib_per_hour_upper_95"] > MAX_MIB_PER_HOUR:
            lines.append(f"{name}: memory grows by up to {node['mib_per_hour_upper_95']} MiB/h")
        lines += [
            f"{name}: {what} grew: {node[what]}" for what in ("threads", "files") if node[what][1] > node[what][0]
        ]
    if summary["counts_wrong"] or not summary["counts_checked"]:
        lines.append(f"frame counts: {summary['counts_wrong']} of {summary['counts_checked']} do not add up")
    if summary["restarts"]:
        lines.append(f"nodes exited and were restarted: {summary['restarts']}")
    return lines


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Plots the memory of each node over time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 4.5), layout="constrained")
    for name in NODES:
        own = [row for row in rows if row["node"] == name]
        axes.plot([row["seconds"] / 60 for row in own], [row["memory_mib"] for row in own], label=name)
    axes.set(xlabel="minutes", ylabel="resident memory, MiB", title="Memory of the nodes", ylim=(0, None))
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def monitor(minutes: float, supervisor: Supervisor, stop: threading.Event) -> tuple[list[dict[str, Any]], SoakMonitor]:
    """Samples the nodes for the given time; returns the samples and the node that counted."""
    node = SoakMonitor()
    executor = FaultTolerantExecutor(node)
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not node.emotion_arrays:
        supervisor.check(respawn=False)
        executor.spin_once(timeout_sec=0.1)
        if stop.is_set():
            sys.exit("soak: stopped before an EmotionArray was received")
        if time.monotonic() > deadline_s:
            sys.exit(f"soak: no EmotionArray was received within {START_TIMEOUT_S:.0f} s")
    rows: list[dict[str, Any]] = []
    begun_s, next_s = time.monotonic(), 0.0
    with tqdm(total=round(minutes * 60), unit="s", desc="soak test") as bar:
        while (elapsed_s := time.monotonic() - begun_s) < minutes * 60 and not stop.is_set():
            executor.spin_once(timeout_sec=0.1)
            supervisor.check(respawn=True)
            if elapsed_s >= next_s:
                next_s += PERIOD_S
                for name in NODES:
                    with suppress(OSError):  # it has ended and is not restarted yet
                        values = (round(elapsed_s, 1), name, *usage(supervisor.pid(name)))
                        rows.append(dict(zip(COLUMNS, values, strict=True)))
                bar.update(round(elapsed_s) - bar.n)
    executor.shutdown()
    return rows, node


def main() -> int:
    """Runs the soak test in a ROS domain of its own; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="duration (default: %(default)s)")
    parser.add_argument(
        "--source", default="", help="video device, file or URL (default: the demonstration clip in a loop)"
    )
    parser.add_argument("--out", type=Path, default=Path("out/soak"), help="output folder (default: %(default)s)")
    options = parser.parse_args()
    if not MIN_S / 60 <= options.minutes < math.inf:
        parser.error(f"--minutes {options.minutes:g} is not a number from {MIN_S / 60:.2g} on")
    stop = stop_event()
    try:
        with OutputFolder(options.out, "soak", writes=FILES, earlier=_earlier) as folder, ros_in_reserved_domain(NODES):
            folder.claim(*FILES)
            return soak(options, stop)
    except EmotionPerceptionError as e:
        sys.exit(f"soak: {e}")


def _earlier(out: Path) -> list[str]:
    """Returns the files that a version of this script without `OutputFolder` has written."""
    written = [name for name in FILES if (out / name).is_file()]
    return written if len(written) == len(FILES) else []


def soak(options: argparse.Namespace, stop: threading.Event) -> int:
    """Runs the nodes and writes the results; returns the exit code.

    Raises:
        ProcessError: a node has ended and is not restarted.
    """
    source = options.source or built_in_source()
    supervisor = Supervisor({name: [] for name in NODES} | {"camera_node": [f'video_device:="{source}"']})
    try:
        rows, node = monitor(options.minutes, supervisor, stop)
    finally:
        shutdown_failures = supervisor.stop(starting=False)
    last_s = rows[-1]["seconds"] if rows else 0.0
    if last_s < MIN_S:
        sys.exit(f"soak: stopped after {last_s:.0f} s; a result needs {MIN_S:.0f} s")
    summary: dict[str, Any] = {
        "minutes": round(last_s / 60, 2),
        "emotion_arrays": node.emotion_arrays,
        "counts_checked": node.checked,
        "counts_wrong": node.wrong,
        "restarts": dict(supervisor.restarts),
        "nodes": growth_of(rows, min(last_s / 5, 300.0)),
    }
    with open(options.out / "soak.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, options.out / "soak.png")
    summary["failures"] = [*shutdown_failures, *failures_of(summary)]
    (options.out / "soak.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(summary, indent=2))
    return 1 if summary["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
