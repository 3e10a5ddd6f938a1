# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes what an evaluation found: report.json for programs, report.html for people, and the plots."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from emotion_perception.bags.report.crops import as_url
from emotion_perception.bags.report.plots import MOST_TRACKS, draw_drops, draw_latency, draw_timeline
from emotion_perception.bags.scoring.misclassified import Misclassified
from emotion_perception.bags.scoring.tables import FaceTable, FrameTable
from emotion_perception.reporting.pages import fill
from emotion_perception.reporting.plots import as_data_url, as_png, draw_confusion, draw_coverage, draw_reliability

JSON, HTML = "report.json", "report.html"
_TEMPLATES = Path(__file__).parent / "templates"


def write_report(
    report: Mapping[str, Any], out: Path, frames: FrameTable, faces: FaceTable, mistakes: Sequence[Misclassified]
) -> None:
    """Writes report.html, a PNG of each plot, and last report.json.

    Args:
        report: the content of report.json.
        out: folder.
        frames: every frame of the recording.
        faces: every face of it.
        mistakes: faces to be shown.
    """
    first = report["first_stamp_ns"]
    figures = {
        "timeline": draw_timeline(faces, first),
        "latency": draw_latency(frames, report["timing"]["latency_is"]),
        "drops": draw_drops(frames, first),
        **recognition_plots(report, title=f"{report['model']} on {report['bag']}"),
    }
    shown = [(as_url(mistake.crop_bgr), mistake) for mistake in mistakes]
    write_page("report.html.j2", report, out, figures, mistakes=shown, most_tracks=MOST_TRACKS)
    write_json(report, out)


def recognition_plots(report: Mapping[str, Any], *, title: str) -> dict[str, Figure]:
    """Draws confusion, reliability and coverage, where there are labels."""
    recognition = report["recognition"]
    if recognition is None:
        return {}
    panels = {
        f"{name}: ECE {recognition[name]['ece']:.1%}": recognition["reliability"][name] for name in ("smoothed", "raw")
    }
    accuracy = f"accuracy {recognition['smoothed']['accuracy']:.1%} of {recognition['smoothed']['n']} faces"
    return {
        "confusion": draw_confusion(recognition["confusion"], report["labels"], title=f"{title}\n{accuracy}"),
        "reliability": draw_reliability(panels, things="faces"),
        "coverage": draw_coverage(recognition["coverage"], things="faces"),
    }


def write_page(
    template: str, report: Mapping[str, Any], out: Path, figures: Mapping[str, Figure | None], **values: Any
) -> None:
    """Writes report.html and a PNG of each plot; those of an earlier evaluation do not stay."""
    pngs = {}
    for name, figure in figures.items():
        (out / f"{name}.png").unlink(missing_ok=True)
        if figure is not None:
            pngs[name] = as_png(figure)
            (out / f"{name}.png").write_bytes(pngs[name])
    urls = {name: as_data_url(png) for name, png in pngs.items()}
    page = fill(_TEMPLATES, template, report=report, plots=urls, **values)
    (out / HTML).write_text(page, encoding="utf-8")


def write_json(report: Mapping[str, Any], out: Path) -> None:
    """Writes report.json in one step: where it is, it is whole."""
    part = out / f"{JSON}.part"
    part.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    part.replace(out / JSON)
