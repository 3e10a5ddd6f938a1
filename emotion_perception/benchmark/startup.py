# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmark of start-up: time to the first emotion, import time and installed size."""

import importlib.metadata
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from emotion_perception.benchmark import nodes
from emotion_perception.benchmark.scene import VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table

NODE_MODULES = {
    name: f"emotion_perception.ros.nodes.{name.removesuffix('_node')}"
    for name in ("camera_node", "face_detection_node", "emotion_classifier_node", "overlay_node")
}
_RUNS = 3
_RUN_S = 1.0
_CODE = "import sys, {module}; print(*(name in sys.modules for name in {modules}))"
_MODULES = ("torch", "onnxruntime")
_MAX_PACKAGES = 8


def run(setup: Setup) -> list[Table]:
    """Measures and returns the tables of the section."""
    return [_first_emotion(setup), _imports(), _installed()]


def _first_emotion(setup: Setup) -> Table:
    source = ["--source", str(nodes.video(setup, VGA, 1)), "--rate", "30"]
    graphs = {"four processes": ["--cameras", "1"], "one process (composed)": ["--composed"]}
    short = replace(setup, seconds=min(setup.seconds, _RUN_S))
    rows: list[list[Any]] = []
    for name, arguments in graphs.items():
        results = [nodes.measure(short, "latency_bench_cameras", VGA, [*source, *arguments]) for _ in range(_RUNS)]
        errors = [run["error"] for run in results if "error" in run]
        times = sorted(run["first_emotions_s"] for run in results if "error" not in run)
        rows.append([name, f"not measured: {errors[0]}", None] if errors else [name, times[0], times[-1]])
    note = (
        f"From the start of the processes to the arrival of the first EmotionArray in another process; {_RUNS} runs "
        "with files in the page cache."
    )
    return Table("Process start to the first emotion", ["nodes", "shortest, s", "longest, s"], rows, note)


def _imports() -> Table:
    rows: list[list[Any]] = []
    for name, module in NODE_MODULES.items():
        times, output = [], ""
        for _ in range(_RUNS):
            begun = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", _CODE.format(module=module, modules=_MODULES)],
                capture_output=True,
                text=True,
                check=False,
            )
            times.append(time.perf_counter() - begun)
            output = done.stdout
        if not output:
            rows.append([name, None, "not measured: rclpy is not installed", None])
            continue
        rows.append([name, min(times), *("yes" if word == "True" else "no" for word in output.split())])
    note = f"The shortest of {_RUNS} runs of `python -c 'import ...'`, the interpreter's own start included."
    return Table("Import of each node", ["node", "s", *(f"imports {name}" for name in _MODULES)], rows, note)


def _installed() -> Table:
    """Adds up the installed sizes of the packages in the run-time lock file."""
    lock = Path(__file__).resolve().parents[2] / "requirements" / "jazzy.txt"
    if not lock.is_file():
        return Table(
            "Disk", ["package", "MB"], [], "Not measured: requirements/jazzy.txt exists only in a source tree."
        )
    names = re.findall(r"^([A-Za-z0-9_.-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE)
    sizes = {name: size for name in names if (size := _size_mb(name)) is not None}
    largest = sorted(sizes, key=lambda name: -sizes[name])[:_MAX_PACKAGES]
    ros = sum(size for name, size in sizes.items() if name.startswith("ros-"))
    rows: list[list[Any]] = [
        ["all", sum(sizes.values())],
        ["of which ROS", ros],
        *([name, sizes[name]] for name in largest),
    ]
    torch = "torch is" if "torch" in sizes else "torch is not"
    note = f"{len(sizes)} packages that `make demo` installs ({lock.name}); {torch} among them."
    return Table("Disk", ["package", "MB"], rows, note)


def _size_mb(name: str) -> float | None:
    try:
        files = importlib.metadata.files(name) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files)
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
