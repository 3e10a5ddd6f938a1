# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Photon to emotion, in the real nodes: runs `emotion_perception.ros.bench.latency_bench` in processes of its own."""

from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from emotion_perception.benchmark import nodes
from emotion_perception.benchmark.int8_detector import int8_detector
from emotion_perception.benchmark.scene import HD, VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table
from emotion_perception.core.classification import ClassifierOptions, shipped_models

_EVERY = (1, 3)
_MEMORY = (
    "Share of one core; resident memory: the process's own, and what of the transport's shared memory it has touched "
    "(a segment of 64 MiB for each process, `config/fastdds.xml`)."
)


@dataclass(frozen=True)
class _Case:
    """One run of the nodes.

    Attributes:
        size_wh: of the images.
        faces: in each.
        every: `detection_interval`.
        composed: all nodes in one process.
        model: of the classifier.
        int8_detector: CenterFace in int8.
    """

    size_wh: tuple[int, int]
    faces: int
    every: int
    composed: bool = False
    model: str = ClassifierOptions.model
    int8_detector: bool = False

    @property
    def name(self) -> str:
        """What the tables call it."""
        width, height = self.size_wh
        more = [f"k = {self.every}", *(["composed"] if self.composed else [])]
        more += ["CenterFace int8"] if self.int8_detector else []
        more += [self.model] if self.model != ClassifierOptions.model else []
        return f"{width}x{height}, {self.faces} face{'s' * (self.faces > 1)}, {', '.join(more)}"


def _cases(*, int8_detector: bool) -> list[_Case]:
    cases = [
        _Case(size_wh, faces, every, composed)
        for size_wh in (VGA, HD)
        for faces in (1, 8)
        for composed in (False, True)
        for every in _EVERY
    ]
    if not int8_detector:
        return cases
    ways = [(composed, every) for composed in (False, True) for every in _EVERY]
    cases += [_Case(VGA, 1, every, composed, int8_detector=True) for composed, every in ways]
    if (small := f"{ClassifierOptions.model}.int8") in shipped_models():
        cases += [_Case(VGA, faces, every, composed, small, True) for faces in (1, 8) for composed, every in ways]
    return cases


def run(setup: Setup) -> list[Table]:
    """Measures."""
    floors = {size_wh: nodes.measure(setup, "latency_bench", size_wh, ["--floor"]) for size_wh in (VGA, HD)}
    found, detector_file = {}, int8_detector(setup)
    cases = _cases(int8_detector=detector_file is not None)
    for case in tqdm(cases, desc="photon to emotion", unit=" runs", disable=None, leave=False):
        video = nodes.video(setup, case.size_wh, case.faces)
        arguments = ["--source", str(video), "--hops", *(["--composed"] if case.composed else [])]
        arguments += ["--set", f"face_detection_node.detection_interval:={case.every}"]
        arguments += ["--set", f"emotion_classifier_node.model:={case.model}"]
        if case.int8_detector and detector_file is not None:
            arguments += ["--set", f"face_detection_node.detector_model:={detector_file.resolve()}"]
        found[case] = nodes.measure(setup, "latency_bench", case.size_wh, arguments)
    measured = {case: figures for case, figures in found.items() if "error" not in figures}
    tables = [_latencies(setup, found, floors)]
    if measured:
        tables += [_hops(measured), _nodes(measured)]
    return tables


def _latencies(setup: Setup, found: dict[_Case, Any], floors: dict[tuple[int, int], Any]) -> Table:
    columns = ["pictures", "p50, ms", "p90", "p99", "floor p50", "published", "answered", "dropped", "lost", "CPU, %"]
    note = (
        f"Stamp at grab to EmotionArray in a fifth process, 30 Hz for {setup.seconds:.0f} s, raw images over DDS; k is "
        "`detection_interval`, composed is one process for all nodes. The floor is a plain rclpy publisher and subscription "
        "with images of that size: one of the two journeys that an image makes. CPU is all four nodes, of one core."
    )
    rows = [_row(case.name, figures, floors[case.size_wh]) for case, figures in found.items()]
    return Table("Photon to emotion", columns, rows, note)


def _hops(measured: dict[_Case, Any]) -> Table:
    """Compares the hops of the first case with those in one process, where both were measured."""
    chosen = [case for case in measured if case in (_Case(VGA, 1, 1), _Case(VGA, 1, 1, True))] or [next(iter(measured))]
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
    return Table("Hop by hop", columns, rows, "The means add up to the mean of the whole.")


def _nodes(measured: dict[_Case, Any]) -> Table:
    rows = [
        [case.name, ", ".join(_used(figures, name) for name in figures["memory_mib"])]
        for case, figures in measured.items()
    ]
    return Table("Processor and memory of each process", ["pictures", "processes"], rows, _MEMORY)


def _row(name: str, found: dict[str, Any], floor: dict[str, Any]) -> list[Any]:
    if "error" in found:
        return [name, f"not measured: {found['error']}", *[None] * 8]
    latency, frames = found["latency_ms"], found["frames"]
    return [
        name,
        *(latency.get(key) for key in ("p50", "p90", "p99")),
        floor.get("latency_ms", {}).get("p50"),
        frames["frames_published"],
        found["answers"].get("ok", 0),
        frames["frames_dropped"],
        frames["frames_lost_in_transport"],
        found["cpu_percent"].get("all"),
    ]


def _used(found: dict[str, Any], name: str) -> str:
    memory, shared = found["memory_mib"][name], found["shared_mib"][name]
    return f"{name} {found['cpu_percent'][name]:.0f} %, {memory - shared:.0f} + {shared:.0f} MiB"
