# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures latency and start-up time of several cameras with one classifier.

    python -m emotion_perception.ros.bench.latency_bench_cameras --source clip.mp4 --cameras 2 --out out/cameras.json

Each camera has a camera_node, a face_detection_node and an overlay_node in a namespace of its own, as the launch file's
`cameras` makes them; with `--composed` all nodes are in one process.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from rclpy.node import Node

from emotion_perception.core.types import Status
from emotion_perception.ros import qos
from emotion_perception.ros.bench.latency_bench import (
    USAGE_PERIOD_S,
    WARM_UP_S,
    Usage,
    add_options,
    measure_and_write,
    percentiles,
    usage_of,
    used,
)
from emotion_perception.ros.conversions import EmotionArray, stamp_ns
from emotion_perception.ros.demo.runner import COMPOSED, DemoError
from emotion_perception.ros.demo.supervisor import Supervisor
from emotion_perception.ros.executor import FaultTolerantExecutor

_START_S = 90.0
_CLASSIFIER = "emotion_classifier_node"


class CamerasListener(Node):
    """Records the EmotionArrays of each camera.

    Args:
        topics: of emotions, one a camera.

    Attributes:
        received: for each topic, arrival minus stamp (ms) and the message, in order.
    """

    def __init__(self, topics: Sequence[str]) -> None:
        super().__init__("cameras_listener")
        self.received: dict[str, list[tuple[float, EmotionArray]]] = {topic: [] for topic in topics}
        for topic in topics:
            self.create_subscription(EmotionArray, topic, partial(self._on_emotions, topic), qos.RESULTS)

    @property
    def all_received(self) -> bool:
        """Whether emotions of each camera have been received."""
        return all(
            any(message.status == EmotionArray.OK for _, message in messages) for messages in self.received.values()
        )

    def clear(self) -> None:
        """Forgets the messages so far."""
        for messages in self.received.values():
            messages.clear()

    def _on_emotions(self, topic: str, message: EmotionArray) -> None:
        self.received[topic].append(((time.time_ns() - stamp_ns(message.header)) * 1e-6, message))


def measure(options: argparse.Namespace, stop: threading.Event) -> dict[str, Any]:
    """Runs the nodes once and returns the measurements.

    Raises:
        DemoError, ProcessError: a node did not start or has ended.
    """
    nodes = _parameters(options)
    begun_s = time.monotonic()
    cameras = {COMPOSED: [word for camera in _cameras(options) for word in ("--camera", camera)]}
    run = _Run(Supervisor(nodes, arguments=cameras), list(nodes), _topics(options), stop)
    try:
        if not run.spin(_START_S, until_all_received=True):
            raise DemoError(f"not every camera had emotions within {_START_S:.0f} s")
        first_emotions_s = time.monotonic() - begun_s
        run.spin(WARM_UP_S)
        run.listener.clear()
        run.spin(options.seconds)
    finally:
        faults = run.close()
    if faults:
        raise DemoError("; ".join(faults))
    measurements = _measurements(run.listener.received, options.seconds)
    return {"first_emotions_s": round(first_emotions_s, 2), **measurements, **used(run.usage)}


class _Run:
    """The nodes of one run.

    Attributes:
        listener: receives the emotions.
        usage: usage of each node, every half second since all cameras have emotions.
    """

    def __init__(
        self, processes: Supervisor, nodes: Sequence[str], topics: Sequence[str], stop: threading.Event
    ) -> None:
        self._processes, self._nodes, self._stop = processes, nodes, stop
        self.listener = CamerasListener(topics)
        self._executor = FaultTolerantExecutor(self.listener)
        self.usage: list[dict[str, Usage]] = []
        self._next_usage_s = 0.0

    def spin(self, seconds: float, *, until_all_received: bool = False) -> bool:
        """Lets the nodes run for a while; returns whether all cameras have had emotions."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and not self._stop.is_set():
            self._executor.spin_once(timeout_sec=0.1)
            self._processes.check(respawn=False)
            if self.listener.all_received and time.monotonic() >= self._next_usage_s:
                self._next_usage_s = time.monotonic() + USAGE_PERIOD_S
                self.usage.append({name: usage_of(self._processes.pid(name)) for name in self._nodes})
            if until_all_received and self.usage:
                break
        return bool(self.usage)

    def close(self) -> list[str]:
        """Stops the nodes; returns a line for each that did not end properly."""
        self._executor.shutdown()
        self.listener.destroy_node()
        return self._processes.stop(starting=not self.usage)


def _topics(options: argparse.Namespace) -> list[str]:
    return [f"{camera}/emotions" for camera in _cameras(options)]


def _cameras(options: argparse.Namespace) -> list[str]:
    return [f"camera_{number}" for number in range(1, options.cameras + 1)]


def _measurements(received: Mapping[str, Sequence[tuple[float, EmotionArray]]], seconds: float) -> dict[str, Any]:
    """Returns times of all cameras together, rate of each, and the number of dropped and skipped frames."""
    good = [(ms, it) for each in received.values() for ms, it in each if it.status == EmotionArray.OK]
    dropped = [each[-1][1].frames_dropped - each[0][1].frames_dropped for each in received.values() if each]
    statuses = [Status(it.status).name.lower() for each in received.values() for _, it in each]
    return {
        "latency_ms": percentiles([ms for ms, _ in good]),
        "classify_ms": percentiles([it.classify_ms for _, it in good]),
        "emotion_arrays_per_s": [round(len(each) / seconds, 2) for each in received.values()],
        "statuses": {status: statuses.count(status) for status in sorted(set(statuses))},
        "frames_dropped": sum(dropped),
    }


def _parameters(options: argparse.Namespace) -> dict[str, list[str]]:
    """Returns the parameters of each node, by NAMESPACE/NAME."""
    source = [f'video_device:="{options.source.resolve()}"', f"framerate:={options.rate:.3f}"]
    source += [f"image_width:={options.width}", f"image_height:={options.height}"]
    queue = f"max_queue_delay_ms:={options.max_queue_delay_ms:.3f}"
    if options.composed:
        return {COMPOSED: [*(f"camera_node:{assignment}" for assignment in source), f"{_CLASSIFIER}:{queue}"]}
    nodes: dict[str, list[str]] = {}
    for camera in _cameras(options):
        nodes |= {f"{camera}/camera_node": source, f"{camera}/face_detection_node": [], f"{camera}/overlay_node": []}
    topics = json.dumps([f"{camera}/image_raw" for camera in _cameras(options)])
    return {**nodes, _CLASSIFIER: [f"image_topics:={topics}", queue]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures once; returns the exit code."""
    return measure_and_write("latency_bench_cameras", measure, _parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rate=10.0)
    parser.add_argument("--cameras", type=int, default=1, help="how many (default: %(default)s)")
    parser.add_argument(
        "--max-queue-delay-ms", type=float, default=0.0, help="of the classifier (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
