# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: four nodes in four processes, watched by a fifth.

Starts camera, detection, classifier and overlay as a robot would, lets them run, stops them in order, and says what
they found. The frame counts are exact because the camera begins last and ends first.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import rclpy
from domain_coordinator import domain_id
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.errors import EmotionPerceptionError, ModelFileError
from emotion_perception.ros.demo.demo_recorder import DemoRecorder
from emotion_perception.ros.demo.supervisor import ProcessError, Supervisor

NODES = ("face_detection_node", "emotion_classifier_node", "overlay_node", "camera_node")
BUILT_IN_S = 15.0
_START_S, _CHANGE_S, _FIRST_PICTURE_S, _DRAIN_S, _LAST_PICTURE_S = 60.0, 40.0, 20.0, 5.0, 0.3


class DemoError(EmotionPerceptionError):
    """The demonstration cannot go on."""


class Demo:
    """One run: waits for the nodes, starts the camera, watches, stops the camera, waits for the last results.

    Args:
        recorder: hears what the nodes say.
        processes: the nodes.
        stop: ends it.
        listeners: how many take the camera's images; it begins when they are there.

    Attributes:
        began: the camera was started.
    """

    def __init__(self, recorder: DemoRecorder, processes: Supervisor, stop: threading.Event, *, listeners: int) -> None:
        self._recorder, self._processes, self._stop, self._listeners = recorder, processes, stop, listeners
        self.began = False
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(recorder)
        self._camera = recorder.create_client(ChangeState, "camera_node/change_state")

    def run(self, seconds: float) -> None:
        """Runs for so many seconds, or until stopped where `seconds` is 0.

        Raises:
            DemoError: a node ended or did not come up, the camera has no source, or stopped before it began.
        """
        self._wait(self._ready, _START_S, "the nodes did not come up")
        self._change(Transition.TRANSITION_CONFIGURE, "the camera cannot be configured")
        self._wait(self._listened_to, _START_S, "nobody listens to the camera")
        self._change(Transition.TRANSITION_ACTIVATE, "the camera does not start")
        self._wait(self._images_come, _FIRST_PICTURE_S, "the camera gives no image")
        self._watch(seconds)
        self._change(Transition.TRANSITION_DEACTIVATE, "the camera does not stop")
        self._wait(self._drained, _DRAIN_S, None)
        self._wait(lambda: self._recorder.overlays >= self._recorder.answers["ok"], _LAST_PICTURE_S, None)

    def close(self) -> None:
        """Lets the executor go."""
        self._executor.shutdown()

    def _ready(self) -> bool:
        consumers = all(self._recorder.status(name).get("state") == "active" for name in NODES[:3])
        return consumers and self._camera.service_is_ready()

    def _listened_to(self) -> bool:
        return int(self._recorder.status("camera_node").get("subscribers", 0)) >= self._listeners

    def _images_come(self) -> bool:
        """Tells whether the camera has begun; it would go on trying for ever, the demonstration does not."""
        if line := self._recorder.error("camera_node"):
            raise DemoError(line)
        return self._recorder.face_arrays > 0

    def _drained(self) -> bool:
        published = self._recorder.status("camera_node")
        counts = self._recorder.counts()
        told = published.get("state") == "inactive" and counts.received >= int(published["frames_published"])
        arrived = min(self._recorder.face_arrays, len(self._recorder.latencies_ms))
        return told and not counts.pending and arrived >= counts.processed

    def _watch(self, seconds: float) -> None:
        self.began = True
        begun_s = time.monotonic()
        progress = _Progress(seconds)
        while not self._stop.is_set() and not (seconds and time.monotonic() - begun_s >= seconds):
            self._spin()
            progress.show(time.monotonic() - begun_s, self._recorder)
            if self._recorder.status("camera_node").get("ended") == "True":
                break
        progress.end()

    def _change(self, transition: int, complaint: str) -> None:
        answer = self._camera.call_async(ChangeState.Request(transition=Transition(id=transition)))
        self._wait(answer.done, _CHANGE_S, complaint)
        if not answer.result().success:
            raise DemoError(complaint)

    def _wait(self, done: Callable[[], bool], timeout_s: float, complaint: str | None) -> None:
        deadline_s = time.monotonic() + timeout_s
        while not done():
            if self._stop.is_set() and not self.began:
                raise DemoError("stopped before the camera began")
            self._spin()
            if time.monotonic() > deadline_s:
                if complaint is None:
                    return
                raise DemoError(f"{complaint} within {timeout_s:.0f} s")

    def _spin(self) -> None:
        self._executor.spin_once(timeout_sec=0.1)
        self._processes.check(respawn=self.began)


class _Progress:
    """One line that is written over on a terminal, and a line every five seconds elsewhere."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._terminal = sys.stderr.isatty()
        self._next_s = 0.0

    def show(self, elapsed_s: float, recorder: DemoRecorder) -> None:
        if elapsed_s < self._next_s:
            return
        self._next_s = elapsed_s + (0.2 if self._terminal else 5.0)
        bar = _bar(elapsed_s / self._seconds) if self._seconds else "until Ctrl-C"
        label = recorder.labels.most_common(1)
        line = (
            f"{bar} {elapsed_s:5.1f} s  {len(recorder.latencies_ms):5d} frames  {recorder.emotions:5d} emotions  "
            f"{recorder.fps:5.1f} fps  latency {recorder.latency_ms(50):5.1f} ms  {label[0][0] if label else '':9s}"
        )
        print(line, end="\r" if self._terminal else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._terminal:
            print(file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demonstration; returns 0 only if faces were found and classified and every node ended well."""
    options = _parser().parse_args(arguments)
    if options.seconds is None:
        options.seconds = 0.0 if options.source else BUILT_IN_S
    options.source = options.source or built_in_source()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        if "ROS_DOMAIN_ID" not in os.environ and os.environ.get("LAN") != "1":  # others expect the default domain
            os.environ["ROS_DOMAIN_ID"] = str(stack.enter_context(own_domain()))
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(rclpy.shutdown)
        return _demonstrate(options, stop)


def own_domain() -> AbstractContextManager[int]:
    """Reserves a ROS domain that no test or other run of this machine takes meanwhile.

    It is below the ephemeral ports, and chosen at random: the dead of an earlier run stay in its domain for 20 s.
    """
    return domain_id(lambda: random.randint(1, 100))


def built_in_source() -> str:
    """Returns the path of the fetched clip, or `synthetic` where it could not be fetched."""
    try:
        return str(resolve_model_file("demo_clip"))
    except ModelFileError as e:
        print(f"demo: {e}; taking the synthetic camera", file=sys.stderr)
        return "synthetic"


def _demonstrate(options: argparse.Namespace, stop: threading.Event) -> int:
    print(f"four nodes in ROS domain {os.environ.get('ROS_DOMAIN_ID', '0')}, source {options.source}", file=sys.stderr)
    complaints = []
    recorder = DemoRecorder(options.out)
    nodes = _overrides(options)
    processes = Supervisor(nodes, first={"camera_node": ["autostart:=false"]})
    demo = Demo(recorder, processes, stop, listeners=len(nodes) - 1)  # all but the camera itself
    try:
        demo.run(options.seconds)
    except (DemoError, ProcessError) as e:
        complaints.append(str(e))
    finally:
        demo.close()
        complaints += processes.stop(coming_up=not demo.began)
        kept = {"restarts": dict(processes.restarts), "shared_memory_segments_removed": processes.segments_removed}
        summary = recorder.close(**kept)
        recorder.destroy_node()
    if not summary["emotions"] and not complaints:
        complaints.append("no face was found and classified")
    _print_summary(summary, options.out)
    for complaint in complaints:
        print(f"demo: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


def _print_summary(summary: dict[str, object], out: Path) -> None:
    for key, value in summary.items():
        print(f"  {key:32s}{value}")
    for name in ("overlay.mp4", "overlay.png", "emotions.csv", "summary.json"):
        if (out / name).exists():
            print(f"  {out / name}")


def _overrides(options: argparse.Namespace) -> dict[str, Sequence[str]]:
    recorder = {} if options.bag is None else {"bag_recorder": [f'bag:="{options.bag.resolve()}"']}
    return recorder | {
        "camera_node": [f'video_device:="{options.source}"', *options.camera],
        "face_detection_node": options.detection,
        "emotion_classifier_node": options.classifier,
        "overlay_node": [],
    }


def _bar(share: float, width: int = 20) -> str:
    full = min(width, round(width * share))
    return f"[{'#' * full}{'.' * (width - full)}]"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--source", default="", help="camera index, device, video, folder, URL or 'synthetic'; empty: the built-in clip"
    )
    parser.add_argument(
        "--seconds", type=float, help=f"0 runs until Ctrl-C (default: {BUILT_IN_S:.0f} for the built-in clip, else 0)"
    )
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder of the results (default out/demo)")
    parser.add_argument("--bag", type=Path, help="records images and results into this new folder too, from the start")
    for node in ("camera", "detection", "classifier"):
        parser.add_argument(f"--{node}", action="append", default=[], metavar="NAME:=VALUE", help=f"{node} parameter")
    return parser
