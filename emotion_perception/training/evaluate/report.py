# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes the report of an evaluation: report.json, report.md, report.html and the plots."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotion_perception.reporting.json_text import json_text
from emotion_perception.reporting.pages import render_template
from emotion_perception.reporting.plots import as_data_url, as_png
from emotion_perception.training.evaluate.plots import draw_all, draw_examples
from emotion_perception.training.evaluate.prediction import Image

REPORT_FILES = ("report.json", "report.md", "report.html", "*.png")
_TEMPLATES = Path(__file__).parent / "templates"


def write_report(report: Mapping[str, Any], out: Path, *, example: Image | None = None) -> None:
    """Writes report.json, report.md, report.html and a PNG of each plot.

    Args:
        report: the content of report.json.
        out: an empty folder.
        example: a face image that is shown with every change applied; None shows none.
    """
    plots = {name: as_png(figure) for name, figure in draw_all(report).items()}
    if example is not None:
        plots["examples"] = as_png(draw_examples(example, seed=report["seed"]))
    for name, png in plots.items():
        (out / f"{name}.png").write_bytes(png)
    (out / "report.json").write_text(json_text(report), encoding="utf-8")
    (out / "report.md").write_text(as_markdown(report, has_examples="examples" in plots), encoding="utf-8")
    urls = {name: as_data_url(png) for name, png in plots.items()}
    (out / "report.html").write_text(
        render_template(_TEMPLATES, "report.html.j2", report=report, plots=urls), encoding="utf-8"
    )


def as_markdown(report: Mapping[str, Any], *, has_examples: bool = False) -> str:
    """Returns the content of report.md; with `has_examples` it refers to examples.png."""
    return render_template(_TEMPLATES, "report.md.j2", report=report, has_examples=has_examples)
