# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Aggregated report of many recordings, computed from the tables of their evaluations."""

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


class FailedBag(NamedTuple):
    """A recording that could not be evaluated, and the reason."""

    name: str
    problem: str


def aggregate(
    name: str, bags: Sequence[tuple[str, Path]], failed: Sequence[FailedBag], out: Path, settings: Settings
) -> dict[str, Any]:
    """Writes the aggregated report.json, report.html and plots.

    Args:
        name: name of the report.
        bags: name and output folder of each evaluation; at least one.
        failed: recordings that could not be evaluated.
        out: output folder, which exists.
        settings: settings of all evaluations.

    Returns:
        The content of report.json.
    """
    reports = {bag: json.loads((folder / JSON).read_text(encoding="utf-8")) for bag, folder in bags}
    labels = tuple(next(iter(reports.values()))["labels"])
    other_labels = [bag for bag, report in reports.items() if tuple(report["labels"]) != labels]
    failed = [
        *failed,
        *(FailedBag(bag, "left out: its labels differ from those of the first recording") for bag in other_labels),
    ]
    folders = [folder for bag, folder in bags if bag not in other_labels]
    frames = read_frames(folders)
    latency = metrics.LATENCY_DEFINITIONS[settings.mode]
    first = next(iter(reports.values()))
    report = {
        "bag": name,
        "mode": settings.mode,
        "duration_s": metrics.duration_s(frames),
        "bags": {bag: _row(of_bag) for bag, of_bag in reports.items() if bag not in other_labels},
        "failed": {bag.name: bag.problem for bag in failed},
        "problems": [f"{bag}: {text}" for bag, of_bag in reports.items() for text in of_bag["problems"]],
        **metrics.all_metrics(
            frames, read_faces(folders, labels), read_regions(folders), settings.pipeline.recognizer.min_confidence
        ),
        "model": first["model"],
        "model_sha256": first["model_sha256"],
        "device": first["device"],
        "parameters": first["parameters"],
        "labels": list(labels),
        "package_version": package_version(),
        "timing": {"latency_definition": latency, **metrics.timing(frames), "command": command_line(), "date": now()},
    }
    title = f"{name}, {len(folders)} recordings"
    plots = {
        "latency": draw_latency(frames, latency),
        **recognition_plots(report, title=title),
    }
    write_page("aggregate.html.j2", report, out, plots)
    write_json(report, out)
    return report


def _row(report: dict[str, Any]) -> dict[str, Any]:
    """Returns the row of a recording in the table of recordings."""
    recognition = report["recognition"]
    return {
        "bag_sha256": report["bag_sha256"],
        "frames": report["frames"]["in_bag"],
        "processed": report["frames"]["processed"],
        "duration_s": report["duration_s"],
        "faces": report["predictions"]["faces"],
        "accuracy": recognition and recognition["smoothed"]["accuracy"],
        "labeled": recognition["smoothed"]["n"] if recognition else 0,
        "problems": len(report["problems"]),
    }
