# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: runs the four nodes, in one process or in four, and reports their results.

Starts camera, detection, classifier and overlay, lets them run, stops them in order, and writes a summary. The frame
counts are exact because the camera starts last and stops first.
"""

import argparse
import contextlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.errors import ConfigurationError, EmotionPerceptionError, ModelFileError, one_line
from emotion_perception.core.paths import path_argument
from emotion_perception.core.regular_files import MIB, read_regular
from emotion_perception.reporting.output_folder import OutputFolder
from emotion_perception.ros.demo.demo_recorder import DemoRecorder
from emotion_perception.ros.demo.domain import DomainError, foreign_topic, ros_in_reserved_domain
from emotion_perception.ros.demo.result_listener import ResultListener
from emotion_perception.ros.demo.stalled_nodes import StalledNodes
from emotion_perception.ros.demo.supervisor import ProcessError, Supervisor
from emotion_perception.ros.executor import FaultTolerantExecutor
from emotion_perception.ros.signals import stop_event

NODES = ("face_detection_node", "emotion_classifier_node", "overlay_node", "camera_node")
COMPOSED = "emotion_perception_composed"
VIEWER = "web_viewer_node"
FILES = ("overlay.webm", "overlay.png", "emotions.csv", "summary.json")
BUILT_IN_CLIP_S = 15.0
_IMAGES = "image_reliability:=best_effort"
"""All nodes are on this machine, where the profile's shared memory loses no image; a reliable subscription can hang
after a `kill -9` (docs/troubleshooting.md, "A killed node")."""
_TOPICS, _FOREIGN_PERIOD_S = ("image_raw", "faces", "emotions"), 1.0
_START_S, _CHANGE_S, _ANSWER_S, _FIRST_IMAGE_S, _DRAIN_S, _LAST_IMAGE_S = 60.0, 40.0, 2.0, 20.0, 5.0, 0.3


class DemoError(EmotionPerceptionError):
    """The demonstration cannot continue."""


class Demo:
    """One run: waits for the nodes, starts the camera, waits, stops the camera, waits for the last results.

    Args:
        recorder: receives the results.
        processes: the nodes.
        stop: ends the run.
        subscribers: number of subscribers of the camera's images; the camera starts when they have discovered it.

    Attributes:
        began: whether the camera was started.
    """

    def __init__(
        self, recorder: ResultListener, processes: Supervisor, stop: threading.Event, *, subscribers: int
    ) -> None:
        self._recorder, self._processes, self._stop, self._subscribers = recorder, processes, stop, subscribers
        self.began = False
        self._next_check_s = 0.0
        self._stalled = StalledNodes(processes.names, recorder.count, recorder.reported_s)
        self._executor = FaultTolerantExecutor(recorder)
        self._camera = recorder.create_client(ChangeState, "camera_node/change_state")

    def run(self, seconds: float) -> None:
        """Runs for a number of seconds, or until stopped if it is 0.

        Raises:
            DemoError: a node ended or did not come up, the camera has no source, another process publishes the same
                topics, or it was stopped before it began.
        """
        self._wait(self._ready, _START_S, "the nodes did not come up")
        self._change(Transition.TRANSITION_CONFIGURE, "the camera cannot be configured")
        self._wait(self._is_subscribed, _START_S, "the camera has too few subscribers")
        self._change(Transition.TRANSITION_ACTIVATE, "the camera does not start")
        self._wait(self._receives_images, _FIRST_IMAGE_S, "the camera publishes no image")
        self._watch(seconds)
        self._change(Transition.TRANSITION_DEACTIVATE, "the camera does not stop")
        self._wait(self._drained, _DRAIN_S, None)
        self._wait(lambda: self._recorder.overlays >= self._recorder.statuses["ok"], _LAST_IMAGE_S, None)

    def close(self) -> None:
        """Releases the executor."""
        self._executor.shutdown()

    def _ready(self) -> bool:
        consumers = all(self._recorder.status(name).get("state") == "active" for name in NODES[:3])
        viewer = VIEWER not in self._processes.names or VIEWER in self._recorder.get_node_names()
        return consumers and viewer and self._camera.service_is_ready()

    def _is_subscribed(self) -> bool:
        return self._recorder.count("camera_node", "subscribers") >= self._subscribers

    def _receives_images(self) -> bool:
        """Returns whether faces of an image have been received; raises if the camera reports an error.

        The camera itself would retry forever.
        """
        if line := self._recorder.error("camera_node"):
            raise DemoError(line)
        return self._recorder.face_arrays > 0

    def _drained(self) -> bool:
        counts, published = self._recorder.counts(), self._recorder.count("camera_node", "frames_published")
        is_inactive = self._recorder.status("camera_node").get("state") == "inactive"
        is_complete = is_inactive and counts.received >= published
        arrived = min(self._recorder.face_arrays, len(self._recorder.latencies_ms))
        return is_complete and not counts.pending and arrived >= counts.processed

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

    def _change(self, transition: int, fault: str) -> None:
        """Sends the camera through a transition; repeats the request, as a camera that was just restarted may miss it.

        Discovery keeps the service of a killed process for 20 s, so that there is one does not say that it is heard.
        """
        request = ChangeState.Request(transition=Transition(id=transition))
        answers = [self._camera.call_async(request)]
        next_s = time.monotonic() + _ANSWER_S

        def has_changed() -> bool:
            return any(answer.done() and answer.result().success for answer in answers)

        def is_answered() -> bool:
            nonlocal next_s
            if time.monotonic() >= next_s:
                answers.append(self._camera.call_async(request))
                next_s = time.monotonic() + _ANSWER_S
            return has_changed() or all(answer.done() for answer in answers)

        self._wait(is_answered, _CHANGE_S, fault)
        if not has_changed():
            raise DemoError(fault)

    def _wait(self, done: Callable[[], bool], timeout_s: float, fault: str | None) -> None:
        deadline_s = time.monotonic() + timeout_s
        while not done():
            if self._stop.is_set() and not self.began:
                raise DemoError("stopped before the camera began")
            self._spin()
            if time.monotonic() > deadline_s:
                if fault is None:
                    return
                raise DemoError(f"{fault} within {timeout_s:.0f} s")

    def _spin(self) -> None:
        self._executor.spin_once(timeout_sec=0.1)
        self._processes.check(respawn=self.began)
        if self.began:
            self._processes.kill_silent(self._reported_s)
            for name in self._stalled.find():
                self._processes.kill(name, "does not receive anything any more")
        if time.monotonic() >= self._next_check_s:
            self._next_check_s = time.monotonic() + _FOREIGN_PERIOD_S
            if topic := foreign_topic(self._recorder, _TOPICS, self._processes.pids):
                raise DemoError(f"another process publishes {topic} too, so the results would be mixed")

    def _reported_s(self, process: str) -> float | None:
        """Returns when a process last reported all its nodes, as a monotonic time; None before that."""
        names = NODES if process == COMPOSED else (process,)
        reports = [at_s for name in names if (at_s := self._recorder.reported_s(name)) is not None]
        return min(reports) if len(reports) == len(names) else None


class _Progress:
    """A progress line: updated in place on a terminal, else printed every five seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._terminal = sys.stderr.isatty()
        self._next_s = 0.0

    def show(self, elapsed_s: float, recorder: ResultListener) -> None:
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


def start_nodes(parameters: Mapping[str, Sequence[str]], *, composed: bool) -> Supervisor:
    """Starts nodes, the camera without autostart at its first start.

    Args:
        parameters: by node, as `name:=value`; nodes that are not in `NODES` get a process of their own.
        composed: run `NODES` in one process.
    """
    first = {"camera_node": ["autostart:=false"]}
    if not composed:
        return Supervisor(parameters, first=first)
    others = {name: own for name, own in parameters.items() if name not in NODES}
    return Supervisor(others | _in_one_process(parameters), first=_in_one_process(first))


def _in_one_process(parameters: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {COMPOSED: [f"{name}:{each}" for name, own in parameters.items() if name in NODES for each in own]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demonstration; returns 0 only if faces were detected and classified and every node ended properly."""
    options = _parser().parse_args(arguments)
    if options.seconds is None:
        options.seconds = 0.0 if options.source or options.web else BUILT_IN_CLIP_S
    options.source = options.source or built_in_source()
    stop = stop_event()
    try:
        with (
            OutputFolder(options.out, "demo", writes=FILES, inputs=_inputs(options.source), earlier=_earlier) as folder,
            ros_in_reserved_domain([*NODES, "bag_recorder", VIEWER], lan=os.environ.get("LAN") == "1") as domain,
        ):
            with folder.replaced(last="summary.json") as part:
                exit_code = _demonstrate(options, part, domain, stop)
            for name in FILES:
                if (options.out / name).exists():
                    print(f"  {options.out / name}")
            return exit_code
    except (ConfigurationError, DomainError) as e:
        print(f"demo: {e}", file=sys.stderr)
    except OSError as e:
        print(f"demo: {e.filename}: {e.strerror}" if e.filename else f"demo: {one_line(e)}", file=sys.stderr)
    return 1


def _inputs(source: str) -> list[Path]:
    """Returns the file or folder of the images, if the source is one."""
    return [Path(source)] if os.path.exists(source) else []


def _earlier(out: Path) -> Collection[str]:
    """Returns the files that a version of the demonstration without `OutputFolder` has written."""
    try:
        is_ours = "frames_published" in json.loads(read_regular(out / "summary.json", MIB))
    except (OSError, ValueError, TypeError):
        return ()
    return [name for name in FILES if is_ours and (out / name).exists()]


def built_in_source() -> str:
    """Returns the path of the fetched clip, or `synthetic` if it could not be fetched."""
    try:
        return str(resolve_model_file("demo_clip"))
    except ModelFileError as e:
        print(f"demo: {e}; taking the synthetic camera", file=sys.stderr)
        return "synthetic"


def _demonstrate(options: argparse.Namespace, out: Path, domain: int, stop: threading.Event) -> int:
    processes_text = "one process" if options.composed else "four processes"
    print(f"four nodes in ROS domain {domain}, {processes_text}, source {options.source}", file=sys.stderr)
    faults = []
    recorder = DemoRecorder(out)
    nodes = _overrides(options)
    processes = start_nodes(nodes, composed=options.composed)
    subscribers = len(nodes.keys() - {"camera_node", VIEWER})  # of the images from the start
    demo = Demo(recorder, processes, stop, subscribers=subscribers)
    try:
        demo.run(options.seconds)
    except (DemoError, ProcessError) as e:
        faults.append(str(e))
    finally:
        demo.close()
        faults += processes.stop(starting=not demo.began)
        kept = {"restarts": dict(processes.restarts), "shared_memory_segments_removed": processes.segments_removed}
        summary = recorder.close(**kept)
        recorder.destroy_node()
    if not summary["emotions"] and not faults:
        faults.append("no face was detected and classified")
    for key, value in summary.items():
        print(f"  {key:32s}{value}")
    for fault in faults:
        print(f"demo: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _overrides(options: argparse.Namespace) -> dict[str, Sequence[str]]:
    recorder = {} if options.bag is None else {"bag_recorder": [f'bag:="{options.bag.resolve()}"']}
    viewer = {VIEWER: ["allow_download:=true", *options.viewer]} if options.web else {}
    return recorder | {
        "camera_node": [f'video_device:="{options.source}"', *options.camera],
        "face_detection_node": [_IMAGES, *options.detection],
        "emotion_classifier_node": [_IMAGES, *options.classifier],
        "overlay_node": [_IMAGES],
        **viewer,
    }


def _bar(share: float, width: int = 20) -> str:
    full = min(width, round(width * share))
    return f"[{'#' * full}{'.' * (width - full)}]"


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (value := float(text)) < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--source", default="", help="camera index, device, video, folder, URL or 'synthetic'; empty: the built-in clip"
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        help=f"0 runs until Ctrl-C (default: {BUILT_IN_CLIP_S:.0f} for the built-in clip, else 0)",
    )
    parser.add_argument(
        "--out", type=path_argument, default=Path("out/demo"), help="folder of the results (default out/demo)"
    )
    parser.add_argument(
        "--bag", type=path_argument, help="also record images and results into this new folder, from the start"
    )
    parser.add_argument(
        "--composed",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="run the nodes in one process (default) or in four",
    )
    parser.add_argument(
        "--web", action="store_true", help="also run web_viewer_node, a page for the browser; until Ctrl-C"
    )
    for node in ("camera", "detection", "classifier", "viewer"):
        parser.add_argument(f"--{node}", action="append", default=[], metavar="NAME:=VALUE", help=f"{node} parameter")
    return parser
