"""The pictures of a report. All but the strip of examples are drawn from the content of report.json."""

import base64
import io
from collections.abc import Mapping
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no display

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion_perception.training.metrics import ECE_BINS
from emotion_perception.training.prediction import Picture
from emotion_perception.training.robustness import CHANGES

_DARK = 0.55  # share from which white text reads better on the colour
_BLUE, _ORANGE, _GRAY = "#2f6fa7", "#c2641a", "#9a9a9a"
_WIDTH = 6.0  # inches: on a phone's screen the text is still read
_STRIP, _CELL = 96, 116  # pixels: side of a face in the strip of examples, and of what it stands in


def draw_all(report: Mapping[str, Any]) -> dict[str, Figure]:
    """Draws what the report has figures for: confusion, reliability, coverage and, where measured, robustness."""
    figures = {
        "confusion": draw_confusion(report),
        "reliability": draw_reliability(report),
        "coverage": draw_coverage(report),
    }
    if report["robustness"]:
        figures["robustness"] = draw_robustness(report)
    return figures


def as_png(figure: Figure) -> bytes:
    """Returns the picture and closes the figure."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    plt.close(figure)
    return file.getvalue()


def as_data_url(png: bytes) -> str:
    """Returns the picture as an address that a page carries in itself."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def draw_confusion(report: Mapping[str, Any]) -> Figure:
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
    axes.set(xlabel="answer of the model", ylabel="truth")
    axes.set_title(f"{_title(report)}\naccuracy {report['accuracy']:.1%}", fontsize=11)
    figure.colorbar(picture, ax=axes, label="share of the true label", fraction=0.04, pad=0.02)
    return figure


def draw_reliability(report: Mapping[str, Any]) -> Figure:
    """Draws accuracy against score, before and after the temperature: on the diagonal, 0.7 is right 7 times in 10."""
    figure, axes = plt.subplots(
        2, 2, figsize=(_WIDTH, 4.2), height_ratios=(3, 1), sharex=True, sharey="row", layout="constrained"
    )
    calibration = report["calibration"]
    for (upper, lower), when in zip(axes.T, ("before", "after"), strict=True):
        bins = calibration["reliability"][when]
        middles = [(row["from"] + row["to"]) / 2 for row in bins]
        upper.bar(middles, [row["accuracy"] or 0 for row in bins], 1 / ECE_BINS, color=_BLUE, edgecolor="white")
        upper.plot((0, 1), (0, 1), "--", color="#444444", linewidth=1)
        upper.set(xlim=(0, 1), ylim=(0, 1))
        upper.set_title(f"{when}: ECE {calibration[f'ece_{when}']:.1%}", fontsize=10)
        lower.bar(middles, [row["n"] for row in bins], 1 / ECE_BINS, color=_GRAY, edgecolor="white")
        lower.set(xlabel="score of the answer")
    axes[0, 0].set(ylabel="accuracy")
    axes[1, 0].set(ylabel="pictures")
    return figure


def draw_coverage(report: Mapping[str, Any]) -> Figure:
    """Draws the accuracy of the answers that are left against how many are left."""
    rule = report["coverage"]["rule"]
    points = [point for point in report["coverage"]["curve"] if point["accuracy"] is not None]
    figure, axes = plt.subplots(figsize=(_WIDTH, 3.4), layout="constrained")
    axes.plot([p["coverage"] for p in points], [p["accuracy"] for p in points], ".-", color=_BLUE)
    if rule["accuracy"] is not None:
        label = f"uncertain below {rule['threshold']:g}"
        axes.plot(rule["coverage"], rule["accuracy"], "o", markersize=9, color=_ORANGE, label=label)
        axes.legend(frameon=False)
    axes.set(xlim=(0, 1.02), xlabel="coverage: share of pictures with a certain answer", ylabel="accuracy of those")
    axes.grid(alpha=0.3)
    return figure


def draw_robustness(report: Mapping[str, Any]) -> Figure:
    """Draws accuracy and abstention against severity, one panel a change."""
    robustness = report["robustness"]
    changes, unchanged = robustness["changes"], robustness["unchanged"]
    rows = -(-len(changes) // 2)
    size = (_WIDTH, 1.9 * rows + 0.4)
    figure, panels = plt.subplots(rows, 2, figsize=size, sharey=True, squeeze=False, layout="constrained")
    for axes, (name, change) in zip(panels.flat, changes.items(), strict=False):
        steps = [{"severity": "none", **unchanged}, *change["steps"]]
        _draw_steps(axes, steps)
        axes.set_title(name.replace("_", " "), fontsize=10)
    for axes in panels.flat[len(changes) :]:
        axes.set_axis_off()
    panels[0, 0].set(ylim=(0, 1))
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure


def draw_examples(picture: Picture, *, seed: int) -> Figure:
    """Draws one face under every change at every severity.

    Args:
        picture: uint8 (H, W) or (H, W, 3) BGR.
        seed: of what is random in the changes.
    """
    columns = 1 + max(len(change.severities) for change in CHANGES)
    strip = np.full((_CELL * len(CHANGES), _CELL * columns, 3), 255, np.uint8)
    figure = plt.figure(figsize=(_WIDTH, _WIDTH * len(CHANGES) / columns))
    axes = figure.add_axes((0, 0, 1, 1))
    for row, change in enumerate(CHANGES):
        shown = [(change.name.replace("_", " "), picture)]
        shown += [(f"{step:g}", change(picture, step, seed=seed, number=0)) for step in change.severities]
        for column, (title, face) in enumerate(shown):
            left, bottom = column * _CELL, (row + 1) * _CELL
            strip[bottom - _STRIP : bottom, left : left + _STRIP] = _rgb(face)
            axes.text(left, bottom - _STRIP - 3, title, fontsize=7)
    axes.imshow(strip)
    axes.set_axis_off()
    return figure


def _rgb(face: Picture) -> Picture:
    square = cv2.resize(face, (_STRIP, _STRIP), interpolation=cv2.INTER_NEAREST)
    order = cv2.COLOR_GRAY2RGB if face.ndim == 2 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(square, order), np.uint8)


def _draw_steps(axes: Axes, steps: list[dict[str, Any]]) -> None:
    places = range(len(steps))
    axes.plot(places, [step["accuracy"] for step in steps], "o-", color=_BLUE, label="accuracy")
    axes.plot(places, [step["abstention"] for step in steps], "s--", color=_ORANGE, label="abstention")
    axes.set_xticks(places, [f"{step['severity']:g}" if k else "none" for k, step in enumerate(steps)])
    axes.grid(alpha=0.3)


def _title(report: Mapping[str, Any]) -> str:
    split = f", {report['split']}" if report["split"] else ""
    return f"{report['model']} on {report['data']}{split} ({report['n']} pictures)"
