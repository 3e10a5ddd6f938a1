# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots that reports share, each drawn from figures of `metrics`, and how they go into a page."""

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no display

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from emotion_perception.reporting.metrics import ECE_BINS

BLUE, ORANGE = "#2f6fa7", "#c2641a"
WIDTH = 6.0  # inches: on a phone's screen the text is still read
_GRAY = "#9a9a9a"
_LETTERS = 11  # of a title, that stand in an inch
_DARK = 0.55  # share from which white text reads better on the color


def as_png(figure: Figure) -> bytes:
    """Returns the image and closes the figure."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    plt.close(figure)
    return file.getvalue()


def as_data_url(png: bytes) -> str:
    """Returns the image as an address that a page carries in itself."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def draw_confusion(confusion: ArrayLike, labels: Sequence[str], *, title: str) -> Figure:
    """Draws the confusion matrix: a row is one true label, its cells its share and count of each answer.

    Args:
        confusion: counts (L, L): rows are the truth, columns the answers.
        labels: label of each row and column.
        title: stands above; may have several lines, long ones are broken.
    """
    counts = np.array(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = plt.subplots(figsize=(1.6 + 0.95 * len(labels), 1.7 + 0.72 * len(labels)), layout="constrained")
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
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
    across = int(_LETTERS * figure.get_figwidth())
    figure.suptitle("\n".join(textwrap.fill(line, across) for line in title.splitlines()), fontsize=11)
    figure.colorbar(image, ax=axes, label="share of the true label", fraction=0.04, pad=0.02)
    return figure


def draw_reliability(panels: Mapping[str, Sequence[Mapping[str, Any]]], *, things: str = "pictures") -> Figure:
    """Draws accuracy against score, and how many answers have it: on the diagonal, 0.7 is right 7 times in 10.

    Args:
        panels: title of each panel -> its bins, from `metrics.reliability`; at least one.
        things: what is counted, for people.
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
        lower.set(xlabel="score of the answer")
    axes[0, 0].set(ylabel="accuracy")
    axes[1, 0].set(ylabel=things)
    return figure


def draw_coverage(coverage: Mapping[str, Any], *, things: str = "pictures") -> Figure:
    """Draws the accuracy of the answers that are left against how many are left.

    Args:
        coverage: from `metrics.coverage`.
        things: what is counted, for people.
    """
    rule = coverage["rule"]
    points = [point for point in coverage["curve"] if point["accuracy"] is not None]
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4), layout="constrained")
    axes.plot([p["coverage"] for p in points], [p["accuracy"] for p in points], ".-", color=BLUE)
    if rule["accuracy"] is not None:
        label = f"uncertain below {rule['threshold']:g}"
        axes.plot(rule["coverage"], rule["accuracy"], "o", markersize=9, color=ORANGE, label=label)
        axes.legend(frameon=False)
    axes.set(xlim=(0, 1.02), xlabel=f"coverage: share of {things} with a certain answer", ylabel="accuracy of those")
    axes.grid(alpha=0.3)
    return figure
