# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmark of the photon-to-emotion latency of the nodes, measured by `emotion_perception.ros.bench.latency_bench`."""

from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from emotion_perception.benchmark import nodes
from emotion_perception.benchmark.int8_detector import int8_detector
from emotion_perception.benchmark.scene import HD, VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table
from emotion_perception.core.classification import ClassifierOptions
from emotion_perception.core.tracking import TrackerOptions

_INTERVALS = (TrackerOptions.detection_interval, 1)  # in frames; 0 is chosen by the node
_MEMORY = (
    "CPU in percent of one core; resident memory of the process, and of the transport's shared memory that it touched "
    "(a segment of 64 MiB for each process, `config/fastdds.xml`)."
)


@dataclass(frozen=True)
class _Case:
    """A configuration of the nodes to measure.

    Attributes:
        size_wh: width and height of the images.
        faces: number of faces in each image.
        interval: `detection_interval`.
        composed: True for all nodes in one process.
        precision: of the classifier.
        int8_detector: True for CenterFace in int8.
    """

    size_wh: tuple[int, int]
    faces: int
    interval: int
    composed: bool = False
    precision: str = ClassifierOptions.precision
    int8_detector: bool = False

    @property
    def name(self) -> str:
        """Name in the tables."""
        width, height = self.size_wh
        more = [f"k = {self.interval or 'auto'}", *(["composed"] if self.composed else [])]
        more += ["CenterFace int8"] if self.int8_detector else []
        more += [self.precision] if self.precision != ClassifierOptions.precision else []
        return f"{width}x{height}, {self.faces} face{'s' * (self.faces > 1)}, {', '.join(more)}"


def _cases(*, with_int8: bool) -> list[_Case]:
    cases = [
        _Case(size_wh, faces, interval, composed)
        for size_wh in (VGA, HD)
        for faces in (1, 8)
        for composed in (False, True)
        for interval in _INTERVALS
    ]
    cases += [_Case(VGA, faces, _INTERVALS[0], True, "float32") for faces in (1, 8)]
    if with_int8:
        cases += [_Case(VGA, 1, interval, True, int8_detector=True) for interval in _INTERVALS]
    return cases


def run(setup: Setup) -> list[Table]:
    """Measures and returns the tables of the section."""
    floors = {size_wh: nodes.measure(setup, "latency_bench", size_wh, ["--floor"]) for size_wh in (VGA, HD)}
    results, detector_file = {}, int8_detector(setup)
    cases = _cases(with_int8=detector_file is not None)
    for case in tqdm(cases, desc="latency", unit=" runs", disable=None, leave=False):
        video = nodes.video(setup, case.size_wh, case.faces)
        arguments = ["--source", str(video), "--hops", *(["--composed"] if case.composed else [])]
        arguments += ["--set", f"face_detection_node.detection_interval:={case.interval}"]
        arguments += ["--set", f"emotion_classifier_node.precision:={case.precision}"]
        if case.int8_detector and detector_file is not None:
            chosen = ("detector:=centerface", "detection_size:=320", f"detector_model:={detector_file.resolve()}")
            arguments += [word for value in chosen for word in ("--set", f"face_detection_node.{value}")]
        results[case] = nodes.measure(setup, "latency_bench", case.size_wh, arguments)
    measured = {case: result for case, result in results.items() if "error" not in result}
    tables = [_latencies(setup, results, floors)]
    if measured:
        tables += [_hops(measured), _nodes(measured)]
    return tables


def _latencies(setup: Setup, results: dict[_Case, Any], floors: dict[tuple[int, int], Any]) -> Table:
    columns = [
        "images",
        "p50, ms",
        "p90",
        "p99",
        "floor p50",
        "p50 of the floor",
        "published",
        "processed",
        "dropped",
        "lost",
        "CPU, %",
    ]
    note = (
        f"Image stamp to the arrival of the EmotionArray in a fifth process, 30 Hz for {setup.seconds:.0f} s, raw "
        "images over DDS; k is `detection_interval` (auto: 0, the default), composed is one process for all nodes. The "
        "floor is a plain rclpy publisher and subscription with images of that size, one of the two transports of an "
        "image; compare the ratio to it with those of other machines. CPU is that of all nodes, 100 % is one core."
    )
    rows = [_row(case.name, result, floors[case.size_wh]) for case, result in results.items()]
    return Table("Photon-to-emotion latency", columns, rows, note)


def _hops(measured: dict[_Case, Any]) -> Table:
    """Compares the hops of the first case with those in one process, if both were measured."""
    compared = _Case(VGA, 1, _INTERVALS[0]), _Case(VGA, 1, _INTERVALS[0], True)
    chosen = [case for case in compared if case in measured] or [next(iter(measured))]
    columns = ["hop", *(f"{case.name}: {which}" for case in chosen for which in ("p50, ms", "p99", "mean"))]
    names = measured[chosen[0]]["hops_ms"]
    rows = [
        [
            name,
            *(
                measured[case]["hops_ms"].get(name, {}).get(which)
                for case in chosen
                for which in ("p50", "p99", "mean")
            ),
        ]
        for name in names
    ]
    return Table("Latency of each hop", columns, rows, "The means add up to the mean of the total.")


def _nodes(measured: dict[_Case, Any]) -> Table:
    rows = [
        [case.name, ", ".join(_used(result, name) for name in result["memory_mib"])]
        for case, result in measured.items()
    ]
    return Table("CPU and memory of each process", ["images", "processes"], rows, _MEMORY)


def _row(name: str, result: dict[str, Any], floor: dict[str, Any]) -> list[Any]:
    if "error" in result:
        return [name, f"not measured: {result['error']}", *[None] * 9]
    latency, frames = result["latency_ms"], result["frames"]
    floor_ms = floor.get("latency_ms", {}).get("p50")
    return [
        name,
        *(latency.get(key) for key in ("p50", "p90", "p99")),
        floor_ms,
        latency["p50"] / floor_ms if floor_ms and "p50" in latency else None,
        frames["frames_published"],
        result["statuses"].get("ok", 0),
        frames["frames_dropped"],
        frames["frames_lost_in_transport"],
        result["cpu_percent"].get("all"),
    ]


def _used(result: dict[str, Any], name: str) -> str:
    memory, shared = result["memory_mib"][name], result["shared_mib"][name]
    return f"{name} {result['cpu_percent'][name]:.0f} %, {memory - shared:.0f} + {shared:.0f} MiB"
