"""Photon to emotion: the four nodes as processes, and how long a picture takes through them to a fifth process.

    python -m emotion_perception.ros.photon --source clip.mp4 --seconds 20 --out out/photon.json

Measures stamp to arrival, each hop on the way, lost frames, and processor time and memory of each node. `--floor` sends
pictures of the same size at the same rate through a plain publisher and subscription instead: what no node can beat.
The first second is left out of all times.
"""

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from domain_coordinator import domain_id
from numpy.typing import NDArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.ros import qos
from emotion_perception.ros.conversions import EmotionArray, stamp_ns
from emotion_perception.ros.demo import NODES, Demo, DemoError
from emotion_perception.ros.images import bgr_to_image
from emotion_perception.ros.node import STEADY
from emotion_perception.ros.result_listener import ResultListener
from emotion_perception.ros.supervisor import ProcessError, Supervisor
from emotion_perception.ros.tracing import VARIABLE

WARM_UP_S = 1.0
PERCENTILES = (50, 90, 99)
_USAGE_PERIOD_S = 0.5
_FLOOR_START_S = 20.0


class PhotonListener(ResultListener):
    """Keeps when each answer came and how long its work took, and what the nodes use.

    Args:
        overlay: also subscribe to the overlay's pictures, as RViz does.
    """

    def __init__(self, *, overlay: bool) -> None:
        super().__init__("photon_listener")
        self.pids: dict[str, int] = {}
        self.answered: dict[int, tuple[int, int, float, float]] = {}  # stamp: arrival (ns, both clocks), ms of work
        self.usage: list[dict[str, tuple[float, float, float]]] = []  # node: moment (s), processor time (s), MiB
        if overlay:
            self.create_subscription(Image, "image_overlay", self._on_overlay, qos.RESULTS)
        self.create_timer(_USAGE_PERIOD_S, self._note_usage, clock=STEADY)

    def heard(self, message: EmotionArray, arrived_ns: int) -> None:
        """Keeps one answer that is about a picture."""
        if message.status == EmotionArray.OK:
            moments = arrived_ns, time.monotonic_ns()
            self.answered[stamp_ns(message.header)] = (*moments, message.detect_ms, message.classify_ms)

    def _on_overlay(self, message: Image) -> None:
        self.overlays += 1

    def _note_usage(self) -> None:
        if self.answered:
            self.usage.append({name: usage_of(pid) for name, pid in self.pids.items()})


def usage_of(pid: int) -> tuple[float, float, float]:
    """Returns the moment (s), the processor time (s) and the resident memory (MiB) of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])  # utime, stime
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    memory_mib = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"), memory_mib


def percentiles(values_ms: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
    """Returns p50, p90, p99 and the mean of times in milliseconds, empty where there are none."""
    if not len(values_ms):
        return {}
    found = {f"p{which}": round(float(np.percentile(values_ms, which)), 2) for which in PERCENTILES}
    return {**found, "mean": round(float(np.mean(values_ms)), 2)}


def read_trace(folder: Path) -> dict[str, dict[str, dict[int, int]]]:
    """Returns node -> point -> stamp -> moment, both in ns, of what the processes wrote."""
    trace: dict[str, dict[str, dict[int, int]]] = {}
    for path in folder.glob("*.csv"):
        points = trace.setdefault(path.stem.rpartition("-")[0], {})
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                points.setdefault(row["point"], {})[int(row["stamp_ns"])] = int(row["moment_ns"])
    return trace


def hops(
    trace: Mapping[str, Mapping[str, Mapping[int, int]]], answered: Mapping[int, tuple[int, int, float, float]]
) -> dict[str, dict[str, float]]:
    """Returns the time of each hop of the pictures that were answered, in their order; they add up to the whole."""
    camera, detection, classifier = (trace[name] for name in (NODES[3], NODES[0], NODES[1]))
    rows = []
    for stamp, (_, arrived_ns, detect_ms, classify_ms) in answered.items():
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
            grab, handed, to_detector, wait, detected, matched, classified = [
                0.0,
                *(np.diff(np.array(moments, np.int64)) * 1e-6),
            ]
            rows.append(
                {
                    "grabbed picture handed on": handed + grab,
                    "converted, published, received": to_detector,
                    "wait for the detector": wait,
                    "detect": detect_ms,
                    "faces published, received": detected - detect_ms,
                    "matched with the picture, wait": matched,
                    "classify": classify_ms,
                    "emotions published, received": classified - classify_ms,
                }
            )
    return {name: percentiles([row[name] for row in rows]) for name in rows[0]} if rows else {}


def measure(options: argparse.Namespace, stop: threading.Event) -> dict[str, Any]:
    """Runs the nodes once and returns the figures.

    Raises:
        DemoError, ProcessError: a node did not come up or ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        if options.hops:
            os.environ[VARIABLE] = folder
        listener = PhotonListener(overlay=options.overlay)
        processes = Supervisor(_parameters(options), first={"camera_node": ["autostart:=false"]})
        listener.pids = {name: processes.pid(name) for name in NODES}
        listeners = 2 + options.overlay  # the overlay takes pictures only while somebody looks at it
        demo = Demo(listener, processes, stop, listeners=listeners)
        try:
            demo.run(options.seconds)
        finally:
            demo.close()
            complaints = processes.stop(coming_up=not demo.began)
            listener.destroy_node()
        if complaints:
            raise DemoError("; ".join(complaints))
        warm = {stamp: row for stamp, row in listener.answered.items() if stamp >= _begin(listener.answered)}
        return {
            "latency_ms": percentiles([(row[0] - stamp) * 1e-6 for stamp, row in warm.items()]),
            "hops_ms": hops(read_trace(Path(folder)), warm) if options.hops else {},
            "frames": listener.account(),
            "answers": dict(listener.answers),
            "faces": listener.faces,
            "fps": round(listener.fps, 2),
            **_used(listener.usage),
        }


def _begin(stamps: Mapping[int, Any]) -> int:
    return min(stamps, default=0) + round(WARM_UP_S * 1e9)


def _used(usage: Sequence[Mapping[str, tuple[float, float, float]]]) -> dict[str, Any]:
    """Returns the share of one core and the memory that each node used, from a second after its first answer on."""
    warm = usage[round(WARM_UP_S / _USAGE_PERIOD_S) :]
    if len(warm) < 2:
        return {"cpu_percent": {}, "memory_mib": {}}
    shares = {
        name: round(100 * (warm[-1][name][1] - warm[0][name][1]) / (warm[-1][name][0] - warm[0][name][0]), 1)
        for name in warm[0]
    }
    memory = {name: round(max(row[name][2] for row in warm), 1) for name in warm[0]}
    return {"cpu_percent": {**shares, "all": round(sum(shares.values()), 1)}, "memory_mib": memory}


def _parameters(options: argparse.Namespace) -> dict[str, list[str]]:
    parameters: dict[str, list[str]] = {name: [] for name in NODES}
    size = f"image_width:={options.width}", f"image_height:={options.height}", f"framerate:={options.rate:.3f}"
    parameters["camera_node"] += [f'video_device:="{options.source.resolve()}"', *size]
    for text in options.set:
        node, dot, assignment = text.partition(".")
        if not dot or node not in parameters or ":=" not in assignment:
            raise DemoError(f"--set {text}: write NODE.PARAMETER:=VALUE, NODE one of {', '.join(NODES)}")
        parameters[node].append(assignment)
    return parameters


class FloorPublisher(Node):
    """Publishes an empty picture of one size at a rate."""

    def __init__(self, width: int, height: int, rate: float) -> None:
        super().__init__("floor_publisher")
        self._picture = np.zeros((height, width, 3), np.uint8)
        self._publisher = self.create_publisher(Image, "image_raw", qos.image_publisher(5))
        self.create_timer(1 / rate, self._publish, clock=STEADY)

    def _publish(self) -> None:
        header = Header(stamp=self.get_clock().now().to_msg())
        if self._publisher.get_subscription_count():
            self._publisher.publish(bgr_to_image(self._picture, header))


class FloorListener(Node):
    """Keeps arrival minus stamp of every picture."""

    def __init__(self) -> None:
        super().__init__("floor_listener")
        self.latencies: dict[int, float] = {}
        self.create_subscription(Image, "image_raw", self._on_image, qos.image_subscription(5, reliable=True))

    def _on_image(self, message: Image) -> None:
        stamp = stamp_ns(message.header)
        self.latencies[stamp] = (time.time_ns() - stamp) * 1e-6


def measure_floor(options: argparse.Namespace, stop: threading.Event) -> dict[str, Any]:
    """Sends pictures through a plain publisher in another process and a plain subscription in this one."""
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--floor-publisher"]
    command += ["--width", str(options.width), "--height", str(options.height), "--rate", str(options.rate)]
    listener, executor = FloorListener(), SingleThreadedExecutor()
    executor.add_node(listener)
    with subprocess.Popen(command) as publisher:
        deadline_s = time.monotonic() + _FLOOR_START_S + options.seconds
        wanted = round(options.seconds * options.rate)
        while len(listener.latencies) < wanted and time.monotonic() < deadline_s and not stop.is_set():
            executor.spin_once(timeout_sec=0.1)
        publisher.send_signal(signal.SIGINT)
    executor.shutdown()
    begin = _begin(listener.latencies)
    listener.destroy_node()
    return {"latency_ms": percentiles([ms for stamp, ms in listener.latencies.items() if stamp >= begin])}


def publish_floor(options: argparse.Namespace, stop: threading.Event) -> None:
    """Publishes until it is stopped."""
    node, executor = FloorPublisher(options.width, options.height, options.rate), SingleThreadedExecutor()
    executor.add_node(node)
    while not stop.is_set():
        executor.spin_once(timeout_sec=0.1)
    executor.shutdown()
    node.destroy_node()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures once; returns the exit code."""
    options = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        if "ROS_DOMAIN_ID" not in os.environ:
            os.environ["ROS_DOMAIN_ID"] = str(stack.enter_context(domain_id(lambda: random.randint(1, 100))))
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(rclpy.shutdown)
        if options.floor_publisher:
            publish_floor(options, stop)
            return 0
        try:
            figures = measure_floor(options, stop) if options.floor else measure(options, stop)
        except (EmotionPerceptionError, ProcessError) as e:
            print(f"photon: {e}", file=sys.stderr)
            return 1
    text = json.dumps(figures, indent=2) + "\n"
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=Path(), help="video that the camera plays")
    parser.add_argument("--width", type=int, default=640, help="of the pictures (default: %(default)s)")
    parser.add_argument("--height", type=int, default=480, help="of the pictures (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=30.0, help="pictures a second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="(default: %(default)s)")
    parser.add_argument("--overlay", action="store_true", help="somebody looks at the overlay")
    parser.add_argument("--hops", action="store_true", help="also the time of each hop")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NODE.PARAMETER:=VALUE", help="a node's parameter; repeatable"
    )
    parser.add_argument("--out", type=Path, help="file for the figures, JSON")
    parser.add_argument("--floor", action="store_true", help="a plain publisher and subscription instead of the nodes")
    parser.add_argument("--floor-publisher", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
