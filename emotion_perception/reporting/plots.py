# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots of the metrics in `reporting.metrics`, and their encoding as PNG and data URL."""

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no display
if "text.parse_math" in matplotlib.rcParams:  # since 3.6
    matplotlib.rcParams["text.parse_math"] = False  # a label or file name with $ is no formula

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from emotion_perception.reporting.metrics import ECE_BINS

BLUE, ORANGE = "#2f6fa7", "#c2641a"
WIDTH = 6.0  # inches, small enough for the text to be legible on a phone
_GRAY = "#9a9a9a"
_TITLE_LETTERS_PER_INCH = 11
_WHITE_TEXT_FROM = 0.55  # fraction above which the cell is too dark for black text


def as_png(figure: Figure) -> bytes:
    """Returns the figure as PNG data and closes it."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    plt.close(figure)
    return file.getvalue()


def as_data_url(png: bytes) -> str:
    """Returns PNG data as a `data:` URL, which embeds it in an HTML page."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def draw_confusion(confusion: ArrayLike, labels: Sequence[str], *, title: str) -> Figure:
    """Draws a confusion matrix with the count and the fraction of the true label in each cell.

    Args:
        confusion: counts (L, L): rows are true labels, columns predicted ones.
        labels: label of each row and column.
        title: one or more lines; long ones are wrapped.
    """
    counts = np.array(confusion)
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = plt.subplots(figsize=(1.6 + 0.95 * len(labels), 1.7 + 0.72 * len(labels)), layout="constrained")
    image = axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(*counts.shape):
        axes.text(
            column,
            row,
            f"{fractions[row, column]:.0%}\n{counts[row, column]}",
            ha="center",
            va="center",
            fontsize=8.5,
            color="white" if fractions[row, column] > _WHITE_TEXT_FROM else "#222222",
            fontweight="bold" if row == column else "normal",
        )
    totals = counts.sum(axis=1)
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), [f"{label}\n(n = {n})" for label, n in zip(labels, totals, strict=True)])
    axes.set(xlabel="predicted label", ylabel="true label")
    across = int(_TITLE_LETTERS_PER_INCH * figure.get_figwidth())
    figure.suptitle("\n".join(textwrap.fill(line, across) for line in title.splitlines()), fontsize=11)
    figure.colorbar(image, ax=axes, label="fraction of the true label", fraction=0.04, pad=0.02)
    return figure


def draw_reliability(panels: Mapping[str, Sequence[Mapping[str, Any]]], *, unit: str = "images") -> Figure:
    """Draws a reliability diagram: accuracy against score, and below it the number of predictions in each bin.

    Args:
        panels: bins from `metrics.reliability` by the panel's title; at least one.
        unit: what is counted, plural, for the axis label.
    """
    figure, axes = plt.subplots(
        2,
        len(panels),
        figsize=(WIDTH, 4.2),
        height_ratios=(3, 1),
        sharex=True,
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    for (upper, lower), (title, bins) in zip(axes.T, panels.items(), strict=True):
        middles = [(row["from"] + row["to"]) / 2 for row in bins]
        upper.bar(middles, [row["accuracy"] or 0 for row in bins], 1 / ECE_BINS, color=BLUE, edgecolor="white")
        upper.plot((0, 1), (0, 1), "--", color="#444444", linewidth=1)
        upper.set(xlim=(0, 1), ylim=(0, 1))
        upper.set_title(title, fontsize=10)
        lower.bar(middles, [row["n"] for row in bins], 1 / ECE_BINS, color=_GRAY, edgecolor="white")
        lower.set(xlabel="score")
    axes[0, 0].set(ylabel="accuracy")
    axes[1, 0].set(ylabel=unit)
    return figure


def draw_coverage(coverage: Mapping[str, Any], *, unit: str = "images") -> Figure:
    """Draws accuracy against coverage of selective prediction.

    Args:
        coverage: the result of `metrics.coverage`.
        unit: what is counted, plural, for the axis label.
    """
    rule = coverage["rule"]
    points = [point for point in coverage["curve"] if point["accuracy"] is not None]
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4), layout="constrained")
    axes.plot([p["coverage"] for p in points], [p["accuracy"] for p in points], ".-", color=BLUE)
    if rule["accuracy"] is not None:
        label = f"min_confidence {rule['threshold']:g}"
        axes.plot(rule["coverage"], rule["accuracy"], "o", markersize=9, color=ORANGE, label=label)
        axes.legend(loc="upper right", frameon=False)
    axes.set(xlim=(0, 1.02), xlabel=f"coverage: fraction of {unit} that are not uncertain", ylabel="accuracy of those")
    axes.grid(alpha=0.3)
    return figure
