# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""One report of many recordings, computed from the tables that each of them has left."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from emotion_perception.bags.inference.settings import Settings
from emotion_perception.bags.report.plots import draw_latency
from emotion_perception.bags.report.report import JSON, recognition_plots, write_json, write_page
from emotion_perception.bags.scoring import metrics
from emotion_perception.bags.scoring.tables import read_faces, read_frames, read_regions
from emotion_perception.reporting.provenance import command_line, now, package_version


class BrokenBag(NamedTuple):
    """A recording that could not be evaluated, and why."""

    name: str
    problem: str


def merge(
    name: str, bags: Sequence[tuple[str, Path]], broken: Sequence[BrokenBag], out: Path, settings: Settings
) -> dict[str, Any]:
    """Writes the merged report.json, report.html and plots.

    Args:
        name: of the whole.
        bags: name and folder of each evaluation; at least one.
        broken: what could not be evaluated.
        out: folder.
        settings: of all evaluations.

    Returns:
        The content of report.json.
    """
    reports = {bag: json.loads((folder / JSON).read_text(encoding="utf-8")) for bag, folder in bags}
    labels = tuple(next(iter(reports.values()))["labels"])
    others = [bag for bag, report in reports.items() if tuple(report["labels"]) != labels]
    broken = [
        *broken,
        *(BrokenBag(bag, "has other labels than the first recording, so it stays out") for bag in others),
    ]
    folders = [folder for bag, folder in bags if bag not in others]
    frames = read_frames(folders)
    latency = metrics.LATENCY[settings.mode]
    first = next(iter(reports.values()))
    report = {
        "bag": name,
        "mode": settings.mode,
        "duration_s": metrics.duration_s(frames),
        "bags": {bag: _row(of_bag) for bag, of_bag in reports.items() if bag not in others},
        "broken": {bag.name: bag.problem for bag in broken},
        "problems": [f"{bag}: {text}" for bag, of_bag in reports.items() for text in of_bag["problems"]],
        **metrics.all_of(
            frames, read_faces(folders, labels), read_regions(folders), settings.pipeline.recognizer.min_confidence
        ),
        "model": first["model"],
        "model_sha256": first["model_sha256"],
        "device": first["device"],
        "parameters": first["parameters"],
        "labels": list(labels),
        "package_version": package_version(),
        "timing": {"latency_is": latency, **metrics.timing(frames), "command": command_line(), "date": now()},
    }
    title = f"{name}, {len(folders)} recordings"
    plots = {
        "latency": draw_latency(frames, latency),
        **recognition_plots(report, title=title),
    }
    out.mkdir(parents=True, exist_ok=True)
    write_page("aggregate.html.j2", report, out, plots)
    write_json(report, out)
    return report


def _row(report: dict[str, Any]) -> dict[str, Any]:
    """Returns what the table of recordings says of one."""
    recognition = report["recognition"]
    return {
        "bag_sha256": report["bag_sha256"],
        "frames": report["frames"]["in_bag"],
        "processed": report["frames"]["processed"],
        "duration_s": report["duration_s"],
        "faces": report["answers"]["faces"],
        "accuracy": recognition and recognition["smoothed"]["accuracy"],
        "labeled": recognition["smoothed"]["n"] if recognition else 0,
        "problems": len(report["problems"]),
    }
