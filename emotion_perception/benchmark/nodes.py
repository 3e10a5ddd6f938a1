# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs the nodes in processes of their own, with the measuring programs of `emotion_perception.ros.bench`."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emotion_perception.benchmark.setup import Setup

_START_TIMEOUT_S = 120.0
_LAST_LINES = 3


def video(setup: Setup, size_wh: tuple[int, int], faces: int) -> Path:
    """Returns a video of the scene with the given image size and number of faces; writes it if it is missing."""
    path = setup.out / f"{size_wh[0]}x{size_wh[1]}_{faces}.avi"
    return path if path.is_file() else setup.scene.write_video(path, size_wh, faces)


def measure(setup: Setup, program: str, size_wh: tuple[int, int], arguments: Sequence[str]) -> dict[str, Any]:
    """Runs a measuring program and returns its results, or its `error`.

    Args:
        setup: duration and output folder.
        program: `latency_bench` or `latency_bench_cameras`.
        size_wh: width and height of the images.
        arguments: further arguments of the program.
    """
    out = setup.out / f"{program}.json"
    command = [sys.executable, "-m", f"emotion_perception.ros.bench.{program}", "--out", str(out)]
    command += ["--width", str(size_wh[0]), "--height", str(size_wh[1]), "--seconds", str(setup.seconds), *arguments]
    out.unlink(missing_ok=True)
    limit_s = setup.seconds + _START_TIMEOUT_S
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"no result within {limit_s:.0f} s"}
    if done.returncode or not out.is_file():
        return {"error": " ".join(done.stderr.split("\n")[-_LAST_LINES:]).strip()}
    return dict(json.loads(out.read_text(encoding="utf-8")))
