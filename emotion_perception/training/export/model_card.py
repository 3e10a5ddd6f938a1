# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes a model card: what a model is for, what it was made from, and how it did (Mitchell et al. 2019).

Everything in it comes from the model's description and from reports of `evaluate`; nothing is typed by hand.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_perception.core.classification.model_bundle import ModelBundle
from emotion_perception.core.errors import DatasetError
from emotion_perception.reporting.pages import render_template

_TEMPLATES = Path(__file__).parent / "templates"
_NEEDED = {"subsets", "calibration", "coverage", "robustness", "groups", "left_out", "limits", "timing", "model_sha256"}


def read_report(path: Path, checkpoint: ModelBundle) -> dict[str, Any]:
    """Reads a report.json of a model.

    Raises:
        DatasetError: the file is missing, is no report of this version, or is another model's.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except ValueError as e:
        raise DatasetError(f"{path}: not JSON ({e})") from e
    if not isinstance(report, dict) or not report.keys() >= _NEEDED:
        raise DatasetError(f"{path}: not a report.json of this version; evaluate anew")
    if report["model_sha256"] != checkpoint.sha256:
        found, wanted = report["model_sha256"][:12], checkpoint.sha256[:12]
        raise DatasetError(f"{path}: measured the model {found}..., not {checkpoint.name}, {wanted}...")
    return report


def write_card(checkpoint: ModelBundle, reports: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Writes the card as Markdown.

    Args:
        checkpoint: the model.
        reports: contents of report.json, at least one.
        path: of the file; its folder is made if absent.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_card(checkpoint, reports), encoding="utf-8")


def as_card(checkpoint: ModelBundle, reports: Sequence[Mapping[str, Any]]) -> str:
    """Returns the text of the card."""
    return render_template(
        _TEMPLATES,
        "model_card.md.j2",
        model=checkpoint,
        spec=checkpoint.spec,
        metadata=checkpoint.spec.metadata,
        reports=[{"where": _where(report), **report} for report in reports],
        shared_limits=[limit for limit in reports[0]["limits"] if all(limit in report["limits"] for report in reports)],
    )


def _where(report: Mapping[str, Any]) -> str:
    without = f" without {', '.join(report['ignored_classes'])}" if report["ignored_classes"] else ""
    return " ".join(filter(None, (report["data"], report["split"]))) + without
