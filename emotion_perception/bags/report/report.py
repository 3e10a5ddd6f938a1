# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes the report of a recording: report.json, report.html and the plots."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from emotion_perception.bags.report.player import PlayerFrame, player_data
from emotion_perception.bags.report.plots import draw_frame_statuses, draw_latency, draw_timeline
from emotion_perception.bags.report.timeline import MAX_TRACKS, make_timeline
from emotion_perception.bags.scoring.crops import as_url
from emotion_perception.bags.scoring.misclassified import Misclassified
from emotion_perception.bags.scoring.tables import FaceTable, FrameTable
from emotion_perception.reporting.json_text import json_text
from emotion_perception.reporting.pages import render_template
from emotion_perception.reporting.plots import as_data_url, as_png, draw_confusion, draw_coverage, draw_reliability

JSON, HTML = "report.json", "report.html"
REPORT_FILES = (JSON, HTML, "*.png")
_TEMPLATES = Path(__file__).parent / "templates"


def write_report(
    report: Mapping[str, Any],
    out: Path,
    frames: FrameTable,
    faces: FaceTable,
    misclassified: Sequence[Misclassified],
    images: Sequence[PlayerFrame],
) -> None:
    """Writes report.html, which needs no other file, a PNG file of each plot, and at the end report.json.

    Args:
        report: the content of report.json.
        out: output folder.
        frames: frames of the recording.
        faces: faces of the recording.
        misclassified: faces to show.
        images: images to play, in the order of their stamps; none without images in the recording.
    """
    first = report["first_stamp_ns"]
    stamps = [*frames.stamp_ns.tolist(), *faces.stamp_ns.tolist(), *(image.stamp_ns for image in images)]
    timeline = make_timeline(faces, stamps, first)
    figures = {
        "timeline": draw_timeline(faces, first),
        "latency": draw_latency(frames, report["timing"]["latency_definition"]),
        "frame_statuses": draw_frame_statuses(frames, first),
        **recognition_plots(report, title=f"{report['model']} on {report['bag']}"),
    }
    crops = [(as_url(face.crop_bgr), face) for face in misclassified]
    page = {
        "misclassified": crops,
        "max_tracks": MAX_TRACKS,
        "timeline": timeline,
        "player": player_data(images, timeline, first) if images else None,
        "player_script": _script("player.js"),
    }
    write_page("report.html.j2", report, out, figures, **page)
    write_json(report, out)


def recognition_plots(report: Mapping[str, Any], *, title: str) -> dict[str, Figure]:
    """Draws confusion matrix, reliability and coverage; an empty result without labels."""
    recognition = report["recognition"]
    if recognition is None:
        return {}
    panels = {
        f"{name}: ECE {recognition[name]['ece']:.1%}": recognition["reliability"][name] for name in ("smoothed", "raw")
    }
    accuracy = f"accuracy {recognition['smoothed']['accuracy']:.1%} of {recognition['smoothed']['n']} faces"
    return {
        "confusion": draw_confusion(recognition["confusion"], report["labels"], title=f"{title}\n{accuracy}"),
        "reliability": draw_reliability(panels, unit="faces"),
        "coverage": draw_coverage(recognition["coverage"], unit="faces"),
    }


def write_page(
    template: str, report: Mapping[str, Any], out: Path, figures: Mapping[str, Figure | None], **values: Any
) -> None:
    """Writes report.html and a PNG file of each plot."""
    pngs = {name: as_png(figure) for name, figure in figures.items() if figure is not None}
    for name, png in pngs.items():
        (out / f"{name}.png").write_bytes(png)
    urls = {name: as_data_url(png) for name, png in pngs.items()}
    page = render_template(_TEMPLATES, template, report=report, plots=urls, **values)
    (out / HTML).write_text(page, encoding="utf-8")


def _script(name: str) -> Mapping[str, str]:
    """Returns the text of a script and the hash by which the page's Content-Security-Policy allows it and no other."""
    text = (_TEMPLATES / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return {"text": text, "hash": f"sha256-{digest}"}


def write_json(report: Mapping[str, Any], out: Path) -> None:
    """Writes report.json."""
    (out / JSON).write_text(json_text(report), encoding="utf-8")
