# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The plots of a report; all but the example images are drawn from the content of report.json."""

from collections.abc import Mapping
from typing import Any

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion_perception.reporting.plots import BLUE, ORANGE, WIDTH, draw_confusion, draw_coverage, draw_reliability
from emotion_perception.training.evaluate.prediction import Image
from emotion_perception.training.evaluate.robustness import CHANGES

_STRIP, _CELL = 96, 116  # pixels: sides of a face and of its cell in the plot of examples


def draw_all(report: Mapping[str, Any]) -> dict[str, Figure]:
    """Draws confusion matrix, reliability diagram, coverage and, where it was measured, robustness."""
    calibration = report["calibration"]
    panels = {
        f"{when}: ECE {calibration[f'ece_{when}']:.1%}": calibration["reliability"][when]
        for when in ("before", "after")
    }
    title = f"{_title(report)}\naccuracy {report['accuracy']:.1%}"
    figures = {
        "confusion": draw_confusion(report["confusion"], report["labels"], title=title),
        "reliability": draw_reliability(panels),
        "coverage": draw_coverage(report["coverage"]),
    }
    if report["robustness"]:
        figures["robustness"] = draw_robustness(report)
    return figures


def draw_robustness(report: Mapping[str, Any]) -> Figure:
    """Draws accuracy and abstention over severity, one panel for each change."""
    robustness = report["robustness"]
    changes, unchanged = robustness["changes"], robustness["unchanged"]
    rows = -(-len(changes) // 2)
    size = (WIDTH, 1.9 * rows + 0.4)
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


def draw_examples(image: Image, *, seed: int) -> Figure:
    """Draws a face image with every change at every severity.

    Args:
        image: uint8 (H, W) or (H, W, 3) BGR.
        seed: of the random changes.
    """
    columns = 1 + max(len(change.severities) for change in CHANGES)
    strip = np.full((_CELL * len(CHANGES), _CELL * columns, 3), 255, np.uint8)
    figure = plt.figure(figsize=(WIDTH, WIDTH * len(CHANGES) / columns))
    axes = figure.add_axes((0, 0, 1, 1))
    for row, change in enumerate(CHANGES):
        shown = [(change.name.replace("_", " "), image)]
        shown += [(f"{step:g}", change(image, step, seed=seed, number=0)) for step in change.severities]
        for column, (title, face) in enumerate(shown):
            left, bottom = column * _CELL, (row + 1) * _CELL
            strip[bottom - _STRIP : bottom, left : left + _STRIP] = _rgb(face)
            axes.text(left, bottom - _STRIP - 3, title, fontsize=7)
    axes.imshow(strip)
    axes.set_axis_off()
    return figure


def _rgb(face: Image) -> Image:
    square = cv2.resize(face, (_STRIP, _STRIP), interpolation=cv2.INTER_NEAREST)
    order = cv2.COLOR_GRAY2RGB if face.ndim == 2 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(square, order), np.uint8)


def _draw_steps(axes: Axes, steps: list[dict[str, Any]]) -> None:
    places = range(len(steps))
    axes.plot(places, [step["accuracy"] for step in steps], "o-", color=BLUE, label="accuracy")
    axes.plot(places, [step["abstention"] for step in steps], "s--", color=ORANGE, label="abstention")
    axes.set_xticks(places, [f"{step['severity']:g}" if k else "none" for k, step in enumerate(steps)])
    axes.grid(alpha=0.3)


def _title(report: Mapping[str, Any]) -> str:
    split = f", {report['split']}" if report["split"] else ""
    return f"{report['model']} on {report['data']}{split} ({report['n']} images)"
