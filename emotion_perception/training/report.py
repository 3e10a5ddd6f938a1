"""Writes what an evaluation found: report.json, report.md and two pictures."""

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no display

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emotion_perception.training.metrics import ECE_BINS, Answers

_DARK = 0.55  # share from which white text reads better on the colour


def write_report(report: dict[str, Any], answers: Answers, out: Path) -> None:
    """Writes report.json, report.md, confusion.png and reliability.png into the folder `out`, made if absent."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (out / "report.md").write_text(as_markdown(report), encoding="utf-8")
    for name, figure in (("confusion", draw_confusion(report)), ("reliability", draw_reliability(report, answers))):
        figure.savefig(out / f"{name}.png", dpi=130)
        plt.close(figure)


def as_markdown(report: dict[str, Any]) -> str:
    """Returns the report as a page for people."""
    split = f", split {report['split']}" if report["split"] else ""
    ignored = f", without {', '.join(report['ignored_classes'])}" if report["ignored_classes"] else ""
    lines = [
        f"# {report['model']} on {report['data']}{split}{ignored}",
        "",
        f"{report['n']} pictures, accuracy **{_percent(report['accuracy'])}**; "
        f"{report['ms_per_face']:.2f} ms for one face on this CPU.",
        "",
        "| subset | n | accuracy | balanced | macro F1 | top 3 | ECE |",
        "|---|---|---|---|---|---|---|",
        *(_subset_row(name, figures) for name, figures in report["subsets"].items()),
        "",
        f"Answers limited to the labels that the set holds: {_percent(report['accuracy_restricted'])}.",
        "",
        "| truth | n | precision | recall | F1 |",
        "|---|---|---|---|---|",
        *(
            f"| {label} | {row['n']} | "
            + " | ".join(_percent(row[key]) for key in ("precision", "recall", "f1"))
            + " |"
            for label, row in report["per_class"].items()
        ),
        "",
        "![confusion](confusion.png) ![reliability](reliability.png)",
        "",
        f"Model sha256 `{report['model_sha256']}`, data sha256 `{report['data_sha256']}`, "
        f"device {report['device']}, package version {report['package_version']}.",
        "`without_leak`: pictures that stand in no other split. `ferplus_majority`: pictures for which more than half",
        "of the FER+ taggers agreed, against their label. ECE: expected calibration error, 15 bins.",
    ]
    return "\n".join(lines) + "\n"


def draw_confusion(report: dict[str, Any]) -> Figure:
    """Draws the confusion matrix: a row is one true label, its cells its share and count of each answer."""
    counts, labels = np.array(report["confusion"]), report["labels"]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = plt.subplots(figsize=(1.6 + 0.95 * len(labels), 1.7 + 0.72 * len(labels)), layout="constrained")
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(*counts.shape):
        axes.text(
            column,
            row,
            f"{shares[row, column]:.0%}\n{counts[row, column]}",
            ha="center",
            va="center",
            fontsize=8.5,
            color="white" if shares[row, column] > _DARK else "#222222",
            fontweight="bold" if row == column else "normal",
        )
    totals = counts.sum(axis=1)
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), [f"{label}\n(n = {n})" for label, n in zip(labels, totals, strict=True)])
    axes.set_xlabel("answer of the model")
    axes.set_ylabel("truth")
    axes.set_title(f"{_title(report)}\naccuracy {_percent(report['accuracy'])}", fontsize=11)
    figure.colorbar(picture, ax=axes, label="share of the true label", fraction=0.04, pad=0.02)
    return figure


def draw_reliability(report: dict[str, Any], answers: Answers) -> Figure:
    """Draws accuracy against score: on the diagonal, a score of 0.7 is right seven times in ten."""
    centers, accuracies, counts = reliability(answers)
    figure, (upper, lower) = plt.subplots(
        2, 1, figsize=(5.2, 5.6), height_ratios=(3, 1), sharex=True, layout="constrained"
    )
    width = 1 / ECE_BINS
    upper.bar(centers, accuracies, width, color="#4a90c2", edgecolor="white")
    upper.plot((0, 1), (0, 1), "--", color="#444444", linewidth=1, label="perfectly calibrated")
    upper.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    upper.set_title(f"{_title(report)}\nexpected calibration error {_percent(report['ece'])}", fontsize=11)
    upper.legend(frameon=False, loc="upper left")
    lower.bar(centers, counts, width, color="#9a9a9a", edgecolor="white")
    lower.set(xlabel="score of the answer", ylabel="pictures")
    return figure


def reliability(answers: Answers) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Returns the centre, the accuracy (0 where empty) and the number of pictures of each bin of scores."""
    scores = answers.probabilities.max(axis=1)
    right = answers.probabilities.argmax(axis=1) == answers.truth
    bins = np.clip(np.ceil(scores * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)  # bins are open on the left
    counts = np.bincount(bins, minlength=ECE_BINS)
    accuracies = np.bincount(bins, right, ECE_BINS) / np.maximum(counts, 1)
    return (np.arange(ECE_BINS) + 0.5) / ECE_BINS, accuracies, counts


def _title(report: dict[str, Any]) -> str:
    split = f", {report['split']}" if report["split"] else ""
    return f"{report['model']} on {report['data']}{split} ({report['n']} pictures)"


def _subset_row(name: str, figures: dict[str, Any]) -> str:
    keys = ("accuracy", "balanced_accuracy", "macro_f1", "top3", "ece")
    return f"| {name} | {figures['n']} | " + " | ".join(_percent(figures[key]) for key in keys) + " |"


def _percent(fraction: float) -> str:
    return f"{fraction:.1%}"
