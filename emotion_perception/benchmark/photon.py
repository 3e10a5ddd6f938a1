"""Photon to emotion, in the real nodes: runs `emotion_perception.ros.photon` in processes of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from emotion_perception.benchmark.scene import HD, VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table

_EVERY = (1, 3)
_START_S = 120.0
_LAST_LINES = 3
_MEMORY = (
    "Share of one core; resident memory: the process's own, and what of the transport's shared memory it has touched "
    "(a segment of 64 MiB for each process, `config/fastdds.xml`)."
)


def run(setup: Setup) -> list[Table]:
    """Measures."""
    cases = [(size, faces, every) for size in (VGA, HD) for faces in (1, 8) for every in _EVERY]
    floors = {size: _measure(setup, size, ["--floor"], f"floor_{size[0]}") for size in (VGA, HD)}
    rows, nodes, hops = [], [], {}
    for size, faces, every in tqdm(cases, desc="photon to emotion", unit=" runs", disable=None, leave=False):
        video = setup.out / f"{size[0]}x{size[1]}_{faces}.avi"
        if not video.is_file():
            setup.scene.write_video(video, size, faces)
        arguments = ["--source", str(video), "--hops", "--set", f"face_detection_node.detect_every:={every}"]
        found = _measure(setup, size, arguments, f"photon_{size[0]}_{faces}_{every}")
        name = f"{size[0]}x{size[1]}, {faces} face{'s' * (faces > 1)}, k = {every}"
        rows.append(_row(name, found, floors[size]))
        if "error" not in found:
            nodes.append([name, *(_used(found, node) for node in found["cpu_percent"] if node != "all")])
            hops[name] = found["hops_ms"]
    columns = ["pictures", "p50, ms", "p90", "p99", "floor p50", "published", "answered", "dropped", "lost", "CPU, %"]
    note = (
        f"Stamp at grab to EmotionArray in a fifth process, 30 Hz for {setup.seconds:.0f} s, raw images over DDS; k is "
        "`detect_every`. The floor is a plain rclpy publisher and subscription with pictures of that size: one of the "
        "two journeys that a picture makes. CPU is all four nodes together, of one core."
    )
    tables = [Table("Photon to emotion", columns, rows, note)]
    if hops:
        chosen = f"{VGA[0]}x{VGA[1]}, 1 face, k = 1"
        steps = hops.get(chosen) or next(iter(hops.values()))
        tables.append(
            Table(
                "Hop by hop",
                ["hop", "p50, ms", "p90", "p99", "mean"],
                [[step, *(times[key] for key in ("p50", "p90", "p99", "mean"))] for step, times in steps.items()],
                f"{chosen}. The means add up to the mean of the whole.",
            )
        )
        header = ["pictures", "face_detection_node", "emotion_classifier_node", "overlay_node", "camera_node"]
        tables.append(Table("Processor and memory of each node", header, nodes, _MEMORY))
    return tables


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


def _used(found: dict[str, Any], node: str) -> str:
    memory, shared = found["memory_mib"][node], found["shared_mib"][node]
    return f"{found['cpu_percent'][node]:.0f} %, {memory - shared:.0f} + {shared:.0f} MiB"


def _measure(setup: Setup, size: tuple[int, int], arguments: list[str], name: str) -> dict[str, Any]:
    """Returns the figures of one run, or `error`."""
    out = setup.out / f"{name}.json"
    command = [sys.executable, "-m", "emotion_perception.ros.photon", *arguments, "--out", str(out)]
    command += ["--width", str(size[0]), "--height", str(size[1]), "--seconds", str(setup.seconds)]
    out.unlink(missing_ok=True)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=setup.seconds + _START_S, check=False, cwd=Path.cwd()
        )
    except subprocess.TimeoutExpired:
        return {"error": "it did not end"}
    if done.returncode or not out.is_file():
        return {"error": " ".join(done.stderr.split("\n")[-_LAST_LINES:]).strip()}
    return dict(json.loads(out.read_text(encoding="utf-8")))
