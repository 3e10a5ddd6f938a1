# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limitations of an evaluation, as sentences that are generated from the report."""

from collections.abc import Mapping
from typing import Any

from emotion_perception.core.retired_names import MODEL_DATA_KEYS, with_present_names
from emotion_perception.training.evaluate.subgroup_metrics import MIN_IMAGES

_ALWAYS = (
    "A label is what people said about an image; it is not what the person felt.",
    "Each image is classified on its own; a node also smooths over time, so its predictions differ.",
)


def limitations_of(report: Mapping[str, Any], metadata: Mapping[str, Any]) -> list[str]:
    """Returns the limitations of an evaluation, one sentence each.

    Args:
        report: content of report.json without `limitations`.
        metadata: of the model, see `ModelSpec`.
    """
    data = with_present_names(metadata.get("data") or {}, MODEL_DATA_KEYS)
    return [
        *_ALWAYS,
        *_left_out(report["left_out"]),
        *_seen_before(report, data),
        *_classes(report["per_class"]),
        *_covered_faces(report["robustness"]),
        *_subgroups(report["subgroups"]),
    ]


def _left_out(counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    return [
        f"Left out when the dataset was read: {', '.join(f'{count} x {reason}' for reason, count in counts.items())}."
    ]


def _seen_before(report: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """Returns how the images were used when the model was trained; `data` is that of the model's metadata."""
    found = []
    same = data.get("sha256") == report["data_sha256"]
    if same and report["split"] == data.get("train_split"):
        found.append("The model was trained on these images: the metrics do not apply to new images.")
    elif same and report["split"] == data.get("epoch_selected_on"):
        found.append("The epoch was selected on this split, so its metrics are slightly better than on new images.")
    if clean := report["subsets"].get("without_leak"):
        leaked = report["n"] - clean["n"]
        found.append(f"{leaked} of the images are also in another split; the subset without_leak leaves them out.")
    return found


def _classes(per_class: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = []
    present = {label: row for label, row in per_class.items() if row["n"]}
    if few := [f"{label} ({row['n']})" for label, row in present.items() if row["n"] < MIN_IMAGES]:
        found.append(f"Fewer than {MIN_IMAGES} images: {', '.join(few)}; their metrics are not reliable.")
    if absent := [label for label in per_class if label not in present]:
        found.append(f"Classes without images: {', '.join(absent)}.")
    enough = {label: row for label, row in present.items() if row["n"] >= MIN_IMAGES}
    if len(enough) > 1:
        worst = min(enough, key=lambda label: enough[label]["recall"])
        found.append(f"Lowest recall: {worst}, {enough[worst]['recall']:.1%} of {enough[worst]['n']} images.")
    return found


def _covered_faces(robustness: Mapping[str, Any] | None) -> list[str]:
    if robustness is None:
        return ["Covered, blurred, dark, small and rotated faces were not measured (--robustness)."]
    strongest = {name: change["steps"][-1]["accuracy"] for name, change in robustness["changes"].items()}
    worst = min(strongest, key=lambda name: strongest[name])
    before = robustness["unchanged"]["accuracy"]
    return [
        f"Largest loss of accuracy: {worst.replace('_', ' ')}, from {before:.1%} to {strongest[worst]:.1%} at the "
        "highest severity. The changes are synthetic; real masks, hands and cameras differ."
    ]


def _subgroups(subgroups: Mapping[str, Any] | None) -> list[str]:
    if subgroups is None:
        return ["Whether subgroups of people are recognized equally well was not measured (--subgroups)."]
    found = [
        "The subgroups are those of the user's file; others were not measured. "
        "The largest of several gaps is in part due to chance."
    ]
    for name, column in subgroups["columns"].items():
        if few := [f"{group} ({row['n']})" for group, row in column["groups"].items() if row["n"] < MIN_IMAGES]:
            found.append(f"{name}: too few images to compare: {', '.join(few)}.")
    return found
