# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the latency from image to emotion: the four nodes as processes, and a fifth process that receives.

    python -m emotion_perception.ros.bench.latency_bench --source clip.mp4 --seconds 20 --out out/latency.json

Measures stamp to arrival, each hop between, lost frames, and processor time and memory of each node. `--floor` sends
images of the same size at the same rate through a plain publisher and subscription instead: the lower bound. The first
second is excluded from all times.
"""

import argparse
import csv
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.core.paths import path_argument
from emotion_perception.reporting.output_file import check_output_file
from emotion_perception.ros import qos
from emotion_perception.ros.bench.latency_bench_floor import measure_floor
from emotion_perception.ros.conversions import EmotionArray, stamp_ns
from emotion_perception.ros.demo.domain import ros_in_reserved_domain
from emotion_perception.ros.demo.result_listener import ResultListener
from emotion_perception.ros.demo.runner import COMPOSED, NODES, Demo, DemoError, start_nodes
from emotion_perception.ros.demo.supervisor import Supervisor
from emotion_perception.ros.lifecycle_node import STEADY_CLOCK
from emotion_perception.ros.signals import stop_event
from emotion_perception.ros.tracing import VARIABLE

WARM_UP_S = 1.0
PERCENTILES = (50, 90, 99)
USAGE_PERIOD_S = 0.5


class LatencyListener(ResultListener):
    """Records the arrival and the processing times of each EmotionArray, and what the nodes use.

    Args:
        overlay: also subscribe to the overlay's images, as RViz does.
    """

    def __init__(self, *, overlay: bool) -> None:
        super().__init__("latency_listener")
        self.pids: dict[str, int] = {}
        self.received: dict[int, tuple[int, int, float, float]] = {}  # stamp: arrival (ns, both clocks), ms of work
        self.usage: list[dict[str, Usage]] = []  # by node
        if overlay:
            self.create_subscription(Image, "image_overlay", self._on_overlay, qos.RESULTS)
        self.create_timer(USAGE_PERIOD_S, self._note_usage, clock=STEADY_CLOCK)

    def on_emotions(self, message: EmotionArray, arrived_ns: int) -> None:
        """Records an EmotionArray whose image was classified."""
        if message.status == EmotionArray.OK:
            moments = arrived_ns, time.monotonic_ns()
            self.received[stamp_ns(message.header)] = (*moments, message.detect_ms, message.classify_ms)

    def _on_overlay(self, message: Image) -> None:
        self.overlays += 1

    def _note_usage(self) -> None:
        if self.received:
            self.usage.append({name: usage_of(pid) for name, pid in self.pids.items()})


class Usage(NamedTuple):
    """Resources that a process has used up to a moment."""

    moment_s: float
    processor_s: float
    memory_mib: float  # resident, shared memory of the transport included
    shared_mib: float  # of that, shared memory: the transport maps one segment a process, 64 MiB by config/fastdds.xml


def usage_of(pid: int) -> Usage:
    """Returns the present usage of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])  # utime, stime
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    memory_kib, shared_kib = (int(status[name].split()[0]) for name in ("VmRSS", "RssShmem"))
    return Usage(time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"), memory_kib / 1024, shared_kib / 1024)


def percentiles(values_ms: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
    """Returns p50, p90, p99 and the mean of times in milliseconds; empty if there are none."""
    if not len(values_ms):
        return {}
    found = {f"p{which}": round(float(np.percentile(values_ms, which)), 2) for which in PERCENTILES}
    return {**found, "mean": round(float(np.mean(values_ms)), 2)}


def read_trace(folder: Path) -> dict[str, dict[str, dict[int, int]]]:
    """Returns the traces that the nodes have written: node -> point -> stamp (ns) -> moment (ns)."""
    trace: dict[str, dict[str, dict[int, int]]] = {}
    for path in folder.glob("*.csv"):
        points = trace.setdefault(path.stem.rpartition("-")[0], {})
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                points.setdefault(row["point"], {})[int(row["stamp_ns"])] = int(row["moment_ns"])
    return trace


def hops(
    trace: Mapping[str, Mapping[str, Mapping[int, int]]], received: Mapping[int, tuple[int, int, float, float]]
) -> dict[str, dict[str, float]]:
    """Returns percentiles of the time of each hop of the images whose emotions were received, in ms, in order.

    The hops of an image add up to its latency.
    """
    names = "camera_node", "face_detection_node", "emotion_classifier_node"
    camera, detection, classifier = (trace[name] for name in names)
    rows = []
    for stamp, (_, arrived_ns, detect_ms, classify_ms) in received.items():
        moments = [
            camera["grabbed"].get(stamp),
            camera["begun"].get(stamp),
            detection["image_received"].get(stamp),
            detection["begun"].get(stamp),
            classifier["result_received"].get(stamp),
            classifier["begun"].get(stamp),
            arrived_ns,
        ]
        if None not in moments:
            steps_ms = np.diff(np.array(moments, np.int64)) * 1e-6
            handed, to_detector, wait, detected, matched, classified = steps_ms
            rows.append(
                {
                    "grab to publication": handed,
                    "converted, published, received": to_detector,
                    "wait for the detector": wait,
                    "detect": detect_ms,
                    "faces published, received": detected - detect_ms,
                    "synchronization with the image": matched,
                    "classify": classify_ms,
                    "emotions published, received": classified - classify_ms,
                }
            )
    return {name: percentiles([row[name] for row in rows]) for name in rows[0]} if rows else {}


def measure(options: argparse.Namespace, stop: threading.Event) -> dict[str, Any]:
    """Runs the nodes once and returns the measurements.

    Raises:
        DemoError, ProcessError: a node did not start or has ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        if options.hops:
            os.environ[VARIABLE] = folder
        listener = LatencyListener(overlay=options.overlay)
        processes = _start(options)
        listener.pids = {name: processes.pid(name) for name in ([COMPOSED] if options.composed else NODES)}
        subscribers = 2 + options.overlay  # the overlay subscribes to images only while it has subscribers
        demo = Demo(listener, processes, stop, subscribers=subscribers)
        try:
            demo.run(options.seconds)
        finally:
            demo.close()
            faults = processes.stop(starting=not demo.began)
            listener.destroy_node()
        if faults:
            raise DemoError("; ".join(faults))
        warm = {stamp: row for stamp, row in listener.received.items() if stamp >= _begin(listener.received)}
        return {
            "latency_ms": percentiles([(row[0] - stamp) * 1e-6 for stamp, row in warm.items()]),
            "hops_ms": hops(read_trace(Path(folder)), warm) if options.hops else {},
            "frames": listener.account(),
            "statuses": dict(listener.statuses),
            "faces": listener.faces,
            "fps": round(listener.fps, 2),
            **used(listener.usage),
        }


def _floor(options: argparse.Namespace, stop: threading.Event) -> dict[str, Any]:
    latencies_ms = measure_floor((options.width, options.height), options.rate, options.seconds, stop)
    return {"latency_ms": percentiles(latencies_ms[round(WARM_UP_S * options.rate) :])}


def _begin(stamps: Mapping[int, Any]) -> int:
    return min(stamps, default=0) + round(WARM_UP_S * 1e9)


def used(usage: Sequence[Mapping[str, Usage]]) -> dict[str, Any]:
    """Returns the share of one core and the memory that each node used, from a second after the first emotions on."""
    warm = usage[round(WARM_UP_S / USAGE_PERIOD_S) :]
    if len(warm) < 2:
        return {"cpu_percent": {}, "memory_mib": {}, "shared_mib": {}}
    first, last = warm[0], warm[-1]
    shares = {
        name: (last[name].processor_s - first[name].processor_s) / (last[name].moment_s - first[name].moment_s)
        for name in first
    }
    return {
        "cpu_percent": {name: round(100 * share, 1) for name, share in {**shares, "all": sum(shares.values())}.items()},
        "memory_mib": {name: round(max(row[name].memory_mib for row in warm), 1) for name in first},
        "shared_mib": {name: round(last[name].shared_mib, 1) for name in first},
    }


def _start(options: argparse.Namespace) -> Supervisor:
    """Starts the nodes, the camera without autostart."""
    parameters: dict[str, list[str]] = {name: [] for name in NODES}
    size = f"image_width:={options.width}", f"image_height:={options.height}", f"framerate:={options.rate:.3f}"
    parameters["camera_node"] += [f'video_device:="{options.source.resolve()}"', *size]
    for text in options.set:
        node, dot, assignment = text.partition(".")
        if not dot or node not in parameters or ":=" not in assignment:
            raise DemoError(f"--set {text}: write NODE.PARAMETER:=VALUE, NODE one of {', '.join(NODES)}")
        parameters[node].append(assignment)
    return start_nodes(parameters, composed=options.composed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures once; returns the exit code."""
    options = _parser().parse_args(arguments)
    return measure_and_write("latency_bench", _floor if options.floor else measure, options)


Measurement = Callable[[argparse.Namespace, threading.Event], dict[str, Any]]


def measure_and_write(program: str, measure_once: Measurement, options: argparse.Namespace) -> int:
    """Measures in a ROS domain of its own, until SIGINT or SIGTERM at the latest; prints and writes the measurements.

    Args:
        program: its name, for error messages.
        measure_once: gets the options and an event that ends it.
        options: those of `add_options` among them.

    Returns:
        The exit code.
    """
    stop = stop_event()
    try:
        if options.out:
            check_output_file(options.out, inputs=[options.source])
        with ros_in_reserved_domain(NODES):
            measurements = measure_once(options, stop)
    except EmotionPerceptionError as e:
        print(f"{program}: {e}", file=sys.stderr)
        return 1
    text = json.dumps(measurements, indent=2) + "\n"
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(options.out, text)
    print(text, end="")
    return 0


def add_options(parser: argparse.ArgumentParser, *, rate: float) -> None:
    """Adds the options that all benchmarks have: images, duration, processes, output file.

    Args:
        parser: gets the options.
        rate: default of `--rate`.
    """
    parser.add_argument("--source", type=path_argument, default=Path(), help="video that a camera plays")
    parser.add_argument("--width", type=int, default=640, help="of the images (default: %(default)s)")
    parser.add_argument("--height", type=int, default=480, help="of the images (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=rate, help="images per second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="(default: %(default)s)")
    parser.add_argument("--composed", action="store_true", help="all nodes in one process")
    parser.add_argument("--out", type=path_argument, help="JSON file of the measurements")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rate=30.0)
    parser.add_argument("--overlay", action="store_true", help="subscribe to the overlay")
    parser.add_argument("--hops", action="store_true", help="also the time of each hop")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NODE.PARAMETER:=VALUE", help="a node's parameter; repeatable"
    )
    parser.add_argument("--floor", action="store_true", help="a plain publisher and subscription instead of the nodes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
