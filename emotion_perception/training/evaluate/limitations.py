# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a report's figures do not show, in sentences made from the figures themselves."""

from collections.abc import Mapping
from typing import Any

from emotion_perception.training.evaluate.subgroup_metrics import FEWEST

_ALWAYS = (
    "A label is what people said about an image; it is not what the person felt.",
    "Every image is judged alone; a node also smooths over time, so its answers differ.",
)


def limits_of(report: Mapping[str, Any], metadata: Mapping[str, Any]) -> list[str]:
    """Returns the sentences.

    Args:
        report: report.json without `limits`.
        metadata: the model's, see `ModelSpec`.
    """
    return [
        *_ALWAYS,
        *_left_out(report["left_out"]),
        *_seen_before(report, metadata.get("data") or {}),
        *_classes(report["per_class"]),
        *_covered_faces(report["robustness"]),
        *_groups(report["groups"]),
    ]


def _left_out(counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    return [f"Left out when the data was read: {', '.join(f'{count} x {reason}' for reason, count in counts.items())}."]


def _seen_before(report: Mapping[str, Any], learnt: Mapping[str, Any]) -> list[str]:
    """Says where the model has met the images before."""
    found = []
    same = learnt.get("sha256") == report["data_sha256"]
    if same and report["split"] == learnt.get("learnt_from"):
        found.append("The model has learnt from these images: the figures say nothing about new ones.")
    elif same and report["split"] == learnt.get("epoch_chosen_on"):
        found.append("This split chose the epoch of the model, so its figures are slightly better than on new images.")
    if clean := report["subsets"].get("without_leak"):
        twins = report["n"] - clean["n"]
        found.append(f"{twins} of the images also stand in another split; without_leak leaves them out.")
    return found


def _classes(per_class: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = []
    present = {label: row for label, row in per_class.items() if row["n"]}
    if few := [f"{label} ({row['n']})" for label, row in present.items() if row["n"] < FEWEST]:
        found.append(f"Fewer than {FEWEST} images: {', '.join(few)}; their figures are no evidence.")
    if absent := [label for label in per_class if label not in present]:
        found.append(f"No image: {', '.join(absent)}.")
    enough = {label: row for label, row in present.items() if row["n"] >= FEWEST}
    if len(enough) > 1:
        worst = min(enough, key=lambda label: enough[label]["recall"])
        found.append(f"Least often recognized: {worst}, {enough[worst]['recall']:.1%} of {enough[worst]['n']} images.")
    return found


def _covered_faces(robustness: Mapping[str, Any] | None) -> list[str]:
    if robustness is None:
        return ["Covered, blurred, dark, small and turned faces were not examined (--robustness)."]
    strongest = {name: change["steps"][-1]["accuracy"] for name, change in robustness["changes"].items()}
    worst = min(strongest, key=lambda name: strongest[name])
    before = robustness["unchanged"]["accuracy"]
    return [
        f"Hurts most: {worst.replace('_', ' ')}, from {before:.1%} to {strongest[worst]:.1%} at the strongest step. "
        "The changes are made by a program; real masks, hands and cameras differ."
    ]


def _groups(groups: Mapping[str, Any] | None) -> list[str]:
    if groups is None:
        return ["Whether groups of people are recognized equally well was not examined (--groups)."]
    found = [
        "The groups are those of the user's file; other groups were not examined. "
        "A gap is the largest of several, so a part of it is chance."
    ]
    for name, column in groups["columns"].items():
        if few := [f"{group} ({row['n']})" for group, row in column["groups"].items() if row["n"] < FEWEST]:
            found.append(f"{name}: too few images for a claim: {', '.join(few)}.")
    return found
