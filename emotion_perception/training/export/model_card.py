# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes a model card: intended use, data, metrics and limitations of a model (Mitchell et al. 2019).

Its content comes from the model's description and from reports of `evaluate`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.classification import ModelBundle
from emotion_perception.core.errors import DatasetError, clipped, one_line
from emotion_perception.core.regular_files import MAX_TEXT_BYTES, read_regular
from emotion_perception.core.retired_names import REPORT_KEYS, with_present_names
from emotion_perception.reporting.pages import render_template

_HEADING = "# Model card: "
_TEMPLATES = Path(__file__).parent / "templates"
_REQUIRED_KEYS = {
    "subsets",
    "calibration",
    "coverage",
    "robustness",
    "subgroups",
    "left_out",
    "limitations",
    "timing",
    "model_sha256",
}


def read_report(path: Path, bundle: ModelBundle) -> dict[str, Any]:
    """Reads the report.json of a model, also that of an earlier version.

    Raises:
        DatasetError: the file is missing, is not a complete report, or belongs to another model.
    """
    try:
        report = json.loads(read_regular(path, MAX_TEXT_BYTES), parse_constant=_reject_constant)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except (ValueError, RecursionError) as e:
        raise DatasetError(f"{path}: not JSON ({clipped(one_line(e))})") from e
    report = with_present_names(report, REPORT_KEYS) if isinstance(report, dict) else {}
    if not report.keys() >= _REQUIRED_KEYS:
        raise DatasetError(f"{path}: not a complete report.json; evaluate the model again")
    if report["model_sha256"] != bundle.sha256:
        found, wanted = str(report["model_sha256"])[:12], bundle.sha256[:12]
        raise DatasetError(f"{path}: evaluates the model {found}..., not {bundle.name}, {wanted}...")
    try:
        as_card(bundle, [report])
    except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError, IndexError) as e:
        raise DatasetError(f"{path}: not a complete report.json ({one_line(e)}); evaluate the model again") from e
    return report


def _reject_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def write_card(bundle: ModelBundle, reports: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Writes the model card as Markdown.

    Args:
        bundle: the model.
        reports: contents of report.json, at least one.
        path: the file; its folder is created if absent.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, as_card(bundle, reports))


def is_card(path: Path) -> bool:
    """Returns whether a file is a model card."""
    try:
        return read_regular(path, MAX_TEXT_BYTES).startswith(_HEADING.encode())
    except OSError:
        return False


def as_card(bundle: ModelBundle, reports: Sequence[Mapping[str, Any]]) -> str:
    """Returns the model card as Markdown."""
    return render_template(
        _TEMPLATES,
        "model_card.md.j2",
        model=bundle,
        spec=bundle.spec,
        metadata=bundle.spec.metadata,
        reports=[{"where": _where(report), **report} for report in reports],
        shared_limitations=[
            limitation
            for limitation in reports[0]["limitations"]
            if all(limitation in report["limitations"] for report in reports)
        ],
    )


def _where(report: Mapping[str, Any]) -> str:
    without = f" without {', '.join(report['ignored_classes'])}" if report["ignored_classes"] else ""
    return " ".join(filter(None, (report["data"], report["split"]))) + without
