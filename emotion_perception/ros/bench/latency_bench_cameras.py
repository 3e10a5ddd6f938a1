# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several cameras into one classifier: how long each image takes, and how long the nodes take to start.

    python -m emotion_perception.ros.bench.latency_bench_cameras --source clip.mp4 --cameras 2 --rate 10 --out out/cameras.json

Each camera has a camera_node, a face_detection_node and an overlay_node in a namespace of its own, as the launch file's
`cameras` makes them; with `--composed` there is one camera, and one process for all nodes.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from emotion_perception.ros import qos
from emotion_perception.ros.bench.latency_bench import (
    COMPOSED,
    USAGE_PERIOD_S,
    WARM_UP_S,
    Usage,
    add_options,
    measure_and_write,
    percentiles,
    usage_of,
    used,
)
from emotion_perception.ros.conversions import STATUSES, EmotionArray, stamp_ns
from emotion_perception.ros.demo.runner import DemoError
from emotion_perception.ros.demo.supervisor import Supervisor

_START_S = 90.0
_CLASSIFIER = "emotion_classifier_node"


class CamerasListener(Node):
    """Keeps what comes of each camera.

    Args:
        topics: of emotions, one a camera.

    Attributes:
        answers: for each topic, arrival minus stamp (ms) and the message, in their order.
    """

    def __init__(self, topics: Sequence[str]) -> None:
        super().__init__("cameras_listener")
        self.answers: dict[str, list[tuple[float, EmotionArray]]] = {topic: [] for topic in topics}
        for topic in topics:
            self.create_subscription(EmotionArray, topic, partial(self._on_emotions, topic), qos.RESULTS)

    @property
    def all_answer(self) -> bool:
        """Whether an image of each camera was answered."""
        return all(
            any(message.status == EmotionArray.OK for _, message in answers) for answers in self.answers.values()
        )

    def clear(self) -> None:
        """Forgets what came so far."""
        for answers in self.answers.values():
            answers.clear()

    def _on_emotions(self, topic: str, message: EmotionArray) -> None:
        self.answers[topic].append(((time.time_ns() - stamp_ns(message.header)) * 1e-6, message))


def measure(options: argparse.Namespace, stop: threading.Event) -> dict[str, Any]:
    """Runs the nodes once and returns the figures.

    Raises:
        DemoError, ProcessError: a node did not come up or ended.
    """
    nodes = _parameters(options)
    begun_s = time.monotonic()
    run = _Run(Supervisor(nodes), list(nodes), _topics(options), stop)
    try:
        if not run.spin(_START_S, until_all_answer=True):
            raise DemoError(f"not every camera was answered within {_START_S:.0f} s")
        first_answer_s = time.monotonic() - begun_s
        run.spin(WARM_UP_S)
        run.listener.clear()
        run.spin(options.seconds)
    finally:
        complaints = run.close()
    if complaints:
        raise DemoError("; ".join(complaints))
    figures = _figures(run.listener.answers, options.seconds)
    return {"first_answer_s": round(first_answer_s, 2), **figures, **used(run.usage)}


class _Run:
    """The nodes while they are watched.

    Attributes:
        listener: hears the emotions.
        usage: what each node used, every half second since all cameras are answered.
    """

    def __init__(
        self, processes: Supervisor, nodes: Sequence[str], topics: Sequence[str], stop: threading.Event
    ) -> None:
        self._processes, self._nodes, self._stop = processes, nodes, stop
        self.listener, self._executor = CamerasListener(topics), SingleThreadedExecutor()
        self._executor.add_node(self.listener)
        self.usage: list[dict[str, Usage]] = []
        self._next_look_s = 0.0

    def spin(self, seconds: float, *, until_all_answer: bool = False) -> bool:
        """Watches for a while; returns whether all cameras have been answered."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and not self._stop.is_set():
            self._executor.spin_once(timeout_sec=0.1)
            self._processes.check(respawn=False)
            if self.listener.all_answer and time.monotonic() >= self._next_look_s:
                self._next_look_s = time.monotonic() + USAGE_PERIOD_S
                self.usage.append({name: usage_of(self._processes.pid(name)) for name in self._nodes})
            if until_all_answer and self.usage:
                break
        return bool(self.usage)

    def close(self) -> list[str]:
        """Ends the nodes; returns a line for each that did not end well."""
        self._executor.shutdown()
        self.listener.destroy_node()
        return self._processes.stop(coming_up=not self.usage)


def _topics(options: argparse.Namespace) -> list[str]:
    return ["emotions"] if options.composed else [f"{camera}/emotions" for camera in _cameras(options)]


def _cameras(options: argparse.Namespace) -> list[str]:
    return [f"camera_{number}" for number in range(1, options.cameras + 1)]


def _figures(answers: Mapping[str, Sequence[tuple[float, EmotionArray]]], seconds: float) -> dict[str, Any]:
    """Returns times of all cameras together, answers a second of each, and what was dropped or skipped."""
    good = [(ms, it) for each in answers.values() for ms, it in each if it.status == EmotionArray.OK]
    dropped = [each[-1][1].frames_dropped - each[0][1].frames_dropped for each in answers.values() if each]
    statuses = [STATUSES[it.status].lower() for each in answers.values() for _, it in each]
    return {
        "latency_ms": percentiles([ms for ms, _ in good]),
        "classify_ms": percentiles([it.classify_ms for _, it in good]),
        "answers_per_s": [round(len(each) / seconds, 2) for each in answers.values()],
        "answers": {status: statuses.count(status) for status in sorted(set(statuses))},
        "frames_dropped": sum(dropped),
    }


def _parameters(options: argparse.Namespace) -> dict[str, list[str]]:
    """Returns the parameters of each node, by NAMESPACE/NAME."""
    source = [f'video_device:="{options.source.resolve()}"', f"framerate:={options.rate:.3f}"]
    source += [f"image_width:={options.width}", f"image_height:={options.height}"]
    if options.composed:
        return {COMPOSED: [f"camera_node:{assignment}" for assignment in source]}
    nodes: dict[str, list[str]] = {}
    for camera in _cameras(options):
        nodes |= {f"{camera}/camera_node": source, f"{camera}/face_detection_node": [], f"{camera}/overlay_node": []}
    topics = json.dumps([f"{camera}/image_raw" for camera in _cameras(options)])
    return {**nodes, _CLASSIFIER: [f"image_topics:={topics}", f"max_queue_delay_ms:={options.max_queue_delay_ms:.3f}"]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures once; returns the exit code."""
    return measure_and_write("latency_bench_cameras", measure, _parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rate=10.0)
    parser.add_argument("--cameras", type=int, default=1, help="how many (default: %(default)s)")
    parser.add_argument("--max-wait-ms", type=float, default=0.0, help="of the classifier (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
