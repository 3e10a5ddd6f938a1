#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Compares the latency of the nodes with another version of this package, and with the floor of the middleware.

    git clone . ../before && cd ../before && git checkout 9337a8a && make env && cd -
    scripts/in_env.sh python scripts/compare_versions.py --before ../before --out out/compare

Floor (a plain publisher and subscriber of the same image in two processes), the other version and this one take turns,
each with its defaults, round after round. A run in which other virtual machines took more than 5 % of the processor
time (steal) is repeated, at most twice; every run is in runs.json. The tables show medians over the rounds, and the
largest number of frames that were lost in any round; they are printed and written to compare.md. Absolute times depend
on the machine, the ratios much less.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from emotion_perception.benchmark.scene import FACES, HD, VGA, Scene
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.reporting.output_folder import OutputFolder
from emotion_perception.reporting.provenance import processor_name

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = {  # of this version, and of those before the rooms of `ros/`
    "latency": ("emotion_perception.ros.bench.latency_bench", "emotion_perception.ros.photon"),
    "cameras": ("emotion_perception.ros.bench.latency_bench_cameras", "emotion_perception.ros.photon_cameras"),
}
FLOOR, BEFORE, NOW, NOW_SEPARATE = "floor", "before", "now", "now, four processes"
FILES = ("runs.json", "run.json", "compare.md")
MAX_STEAL, TRIES = 0.05, 3
START_S = 120.0


@dataclass(frozen=True)
class Case:
    """What the nodes are given.

    Attributes:
        size_wh: width and height of the images.
        faces: in each image.
        cameras: number of cameras with one classifier.
        rate_hz: images per second of each.
        start: measures the time from the start of the processes to the first emotions, too.
    """

    size_wh: tuple[int, int] = VGA
    faces: int = 1
    cameras: int = 1
    rate_hz: float = 30.0
    start: bool = False

    @property
    def name(self) -> str:
        """Name in the tables."""
        width, height = self.size_wh
        cameras = f"{self.cameras} cameras of " if self.cameras > 1 else ""
        start = ", from the start of the processes" if self.start else ""
        return f"{cameras}{width}x{height}, {self.rate_hz:.0f} Hz, {self.faces} face{'s' * (self.faces > 1)}{start}"

    @property
    def video(self) -> str:
        """File name of the video that the cameras play."""
        return f"{self.size_wh[0]}x{self.size_wh[1]}_{self.faces}.avi"

    @property
    def program(self) -> str:
        """The key of `PROGRAMS`."""
        return "cameras" if self.cameras > 1 or self.start else "latency"


CASES = {
    "face": Case(),
    "eight": Case(faces=8),
    "hd": Case(size_wh=HD),
    "cameras": Case(cameras=2, rate_hz=15.0),
    "start": Case(start=True),
    **{f"faces{count}": Case(faces=count) for count in FACES},
}
DEFAULT_CASES = ("face", "eight", "hd", "cameras", "start")


def processor_ticks() -> tuple[int, int]:
    """Returns the processor time that was stolen since the machine's start, and all of it, in ticks."""
    values = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return values[7], sum(values)


class Comparison:
    """Runs the programs and keeps what they measure.

    Args:
        out: existing folder for videos and measurements.
        before: source tree of the other version, set up; None leaves it out.
        seconds: duration of each run.
        separate: also this version in four processes.

    Attributes:
        runs: every run.
    """

    def __init__(self, out: Path, before: Path | None, seconds: float, *, separate: bool) -> None:
        self._out, self._before, self._seconds = out, before, seconds
        self._separate = separate
        self._scene = Scene()
        self.runs: list[dict[str, Any]] = []

    def sides(self, case: Case) -> list[str]:
        """Returns what is measured in turns."""
        sides = [FLOOR] if case.program == "latency" else []
        return [*sides, *([BEFORE] if self._before else []), NOW, *([NOW_SEPARATE] if self._separate else [])]

    def measure(self, key: str, side: str) -> None:
        """Adds a run, and repeats it while other machines take too much of the processor's time."""
        for _ in range(TRIES):
            stolen, ticks = processor_ticks()
            result = self._run(CASES[key], side)
            stolen_after, ticks_after = processor_ticks()
            steal = (stolen_after - stolen) / max(1, ticks_after - ticks)
            self.runs.append({"case": key, "side": side, "steal": round(steal, 4), "counts": steal <= MAX_STEAL})
            self.runs[-1] |= result
            (self._out / "runs.json").write_text(json.dumps(self.runs, indent=1) + "\n", encoding="utf-8")
            if steal <= MAX_STEAL:
                return

    def _run(self, case: Case, side: str) -> dict[str, Any]:
        tree = self._before if side == BEFORE and self._before else ROOT
        own, earlier = PROGRAMS[case.program]
        program = own if (tree / f"{own.replace('.', '/')}.py").is_file() else earlier
        result = self._out / "run.json"
        result.unlink(missing_ok=True)
        width, height = case.size_wh
        command = [str(tree / "scripts" / "in_env.sh"), "python", "-m", program, "--out", str(result)]
        command += ["--source", str(self._video(case)), "--width", str(width), "--height", str(height)]
        command += ["--rate", str(case.rate_hz), "--seconds", str(1.0 if case.start else self._seconds)]
        command += ["--cameras", str(case.cameras)] if case.program == "cameras" else []
        command += {FLOOR: ["--floor"], NOW: ["--composed"]}.get(side, [])
        try:
            done = subprocess.run(
                command, cwd=tree, capture_output=True, text=True, timeout=self._seconds + START_S, check=False
            )
        except subprocess.TimeoutExpired:
            return {"error": f"no result within {self._seconds + START_S:.0f} s"}
        if done.returncode or not result.is_file():
            return {"error": done.stderr.strip()[-500:] or f"exit code {done.returncode}"}
        return dict(json.loads(result.read_text(encoding="utf-8")))

    def _video(self, case: Case) -> Path:
        path = self._out / case.video
        return (path if path.is_file() else self._scene.write_video(path, case.size_wh, case.faces)).resolve()


def lost_frames(run: Mapping[str, Any]) -> int:
    """Returns the number of frames of a run that have no emotions: dropped, skipped or lost in transport."""
    statuses, frames = run.get("statuses", run.get("answers", {})), run.get("frames", {})
    without = sum(count for status, count in statuses.items() if status != "ok")
    lost = frames.get("frames_dropped", 0) + frames.get("frames_lost_in_transport", 0)
    return int(without + run.get("frames_dropped", 0) + lost)


def start_s(run: Mapping[str, Any]) -> float:
    """Returns the time from the start of the processes to the first emotions, in seconds; 0 if it was not measured."""
    return float(run.get("first_emotions_s", run.get("first_answer_s", 0.0)))


def table(case: Case, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the Markdown table of a case, one row for each side."""
    lines = [
        f"**{case.name}**",
        "",
        "| | runs | p50, ms | of the floor | p99, ms | of the floor's p50 | frames without emotions: median, most "
        "| processor, % of a core | of before | memory, MiB | start, s | of before |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    good: dict[str, list[Mapping[str, Any]]] = {}
    for run in runs:
        if run["counts"] and "error" not in run:
            good.setdefault(run["side"], []).append(run)
    floor_ms = _median(good.get(FLOOR, []), "latency_ms", "p50")
    before = _median(good.get(BEFORE, []), "cpu_percent", "all")
    before_start_s = statistics.median([start_s(run) for run in good.get(BEFORE, [])] or [0.0])
    for side, own in good.items():
        p50, p99 = (_median(own, "latency_ms", key) for key in ("p50", "p99"))
        processor = _median(own, "cpu_percent", "all")
        losses = [lost_frames(run) for run in own]
        memory = statistics.median(sum(run.get("memory_mib", {}).values()) for run in own)
        shown_losses = "" if side == FLOOR else f"{statistics.median(losses):.0f}, {max(losses)}"
        cells = [side, str(len(own)), _number(p50), _ratio(p50, floor_ms), _number(p99), _ratio(p99, floor_ms)]
        cells += [shown_losses, _number(processor), _ratio(processor, before), _number(memory or None)]
        start = statistics.median(start_s(run) for run in own) or None
        cells += [_number(start), _ratio(start, before_start_s)]
        lines.append(f"| {' | '.join(cells)} |")
    failed = [f"{run['side']}: {run['error']}" for run in runs if "error" in run]
    disturbed = sum(not run["counts"] for run in runs)
    lines += [""] + [f"Failed: {text}" for text in failed]
    lines += [f"Repeated because of steal: {disturbed} of {len(runs)} runs.", ""] if disturbed else []
    return lines


def _median(runs: Sequence[Mapping[str, Any]], group: str, key: str) -> float | None:
    values = [run[group][key] for run in runs if key in run.get(group, {})]
    return statistics.median(values) if values else None


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _ratio(value: float | None, base: float | None) -> str:
    return "" if value is None or not base else f"{value / base:.2f}"


def main() -> int:
    """Runs the comparison; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="source tree of the other version, after `make env` there")
    parser.add_argument("--out", type=Path, default=Path("out/compare"), help="folder (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each run (default: %(default)s)")
    parser.add_argument(
        "--case", action="append", choices=CASES, help=f"repeatable (default: {', '.join(DEFAULT_CASES)})"
    )
    parser.add_argument("--separate", action="store_true", help="also this version in four processes")
    options = parser.parse_args()
    options.case = options.case or list(DEFAULT_CASES)
    files = [*FILES, *{CASES[key].video for key in options.case}]
    try:
        with OutputFolder(options.out, "compare_versions", writes=files) as folder:
            folder.claim(*files)
            return compare(options)
    except EmotionPerceptionError as e:
        sys.exit(f"compare_versions: {e}")


def compare(options: argparse.Namespace) -> int:
    """Measures, prints and writes the tables; returns the exit code."""
    comparison = Comparison(options.out.resolve(), options.before, options.seconds, separate=options.separate)
    todo = [(key, side) for key in options.case for _ in range(options.rounds) for side in comparison.sides(CASES[key])]
    for key, side in tqdm(todo, desc="runs", unit=" runs", disable=None):
        comparison.measure(key, side)
    command = f"python scripts/compare_versions.py {' '.join(sys.argv[1:])}"
    lines = [f"`{command}`, {processor_name()}, {os.cpu_count()} cores", ""]
    for key in options.case:
        lines += table(CASES[key], [run for run in comparison.runs if run["case"] == key])
    text = "\n".join(lines)
    (options.out / "compare.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 1 if any("error" in run for run in comparison.runs) else 0


if __name__ == "__main__":
    sys.exit(main())
