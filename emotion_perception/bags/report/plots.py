# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots of a recording's report."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import FRAME_STATUSES, PROCESSED
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.report.timeline import GAP_S, MAX_TRACKS
from emotion_perception.bags.scoring.metrics import tracks_of
from emotion_perception.bags.scoring.tables import FaceTable, FrameTable
from emotion_perception.core.rendering import label_color, rgb_fractions
from emotion_perception.reporting.plots import BLUE, ORANGE, WIDTH

_BINS = 60
_STATUS_COLORS = ("#2f6fa7", "#c2641a", "#e2b13c", "#7a3b8f", "#a32020", "#8a8a8a")


def draw_timeline(faces: FaceTable, first_stamp_ns: int) -> Figure | None:
    """Draws smoothed probabilities and labels of the longest tracks over time.

    Args:
        faces: faces of one recording.
        first_stamp_ns: stamp of the first image, at time 0.

    Returns:
        The figure, or None without faces.
    """
    tracks = sorted(tracks_of(faces), key=lambda rows: (-len(rows), rows[0]))[:MAX_TRACKS]
    if not tracks:
        return None
    tracks.sort(key=lambda rows: rows[0])
    labeled = bool((faces.truth != "").any())
    figure, axes = plt.subplots(
        2 * len(tracks),
        1,
        figsize=(WIDTH * 1.4, 0.5 + 1.75 * len(tracks)),
        height_ratios=(5, 2 if labeled else 1) * len(tracks),
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    seconds = (faces.stamp_ns - first_stamp_ns) / NS
    for rows, (upper, lower) in zip(tracks, axes.reshape(-1, 2), strict=True):
        _draw_probabilities(upper, faces, rows, seconds[rows])
        _draw_labels(lower, faces, rows, seconds[rows], labeled=labeled)
        upper.set_title(f"track {faces.track_id[rows[0]]}, {len(rows)} frames", fontsize=9, loc="left")
    axes[-1, 0].set(xlabel="seconds since the first image")
    handles = [Patch(color=_color(label), label=label) for label in faces.labels]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=8)
    return figure


def draw_latency(frames: FrameTable, definition: str) -> Figure | None:
    """Draws a histogram of `latency_ms` with its median and 99th percentile.

    Args:
        frames: frames of one or more recordings.
        definition: what is measured, for the axis label.

    Returns:
        The figure, or None if no latency was measured.
    """
    values = frames.times["latency_ms"]
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    p50, p99, last = np.percentile(values, (50, 99, 99.9))
    figure, axes = plt.subplots(figsize=(WIDTH, 3), layout="constrained")
    axes.hist(values, bins=_BINS, range=(min(0.0, values.min()), max(last, 1e-3)), color=BLUE)
    for value, style, name in ((p50, "-", "p50"), (p99, "--", "p99")):
        axes.axvline(value, linestyle=style, color=ORANGE, label=f"{name} {value:.1f} ms")
    axes.legend(loc="upper right", frameon=False)
    axes.set(xlabel=f"latency in ms: {definition}", ylabel="frames")
    axes.xaxis.label.set_fontsize(8)
    return figure


def draw_frame_statuses(frames: FrameTable, first_stamp_ns: int) -> Figure:
    """Draws the number of frames of each status over time, for one recording."""
    seconds = (frames.stamp_ns - first_stamp_ns) / NS
    last = max(float(seconds.max(initial=0)), 1e-3)
    edges = np.linspace(min(0.0, float(seconds.min(initial=0))), last, 1 + min(_BINS, max(1, int(np.ceil(last)))))
    present = [
        (name, color) for name, color in zip(FRAME_STATUSES, _STATUS_COLORS, strict=True) if name in frames.status
    ]
    figure, axes = plt.subplots(figsize=(WIDTH, 2.6), layout="constrained")
    axes.hist(
        [seconds[frames.status == name] for name, _ in present],
        bins=edges.tolist(),
        stacked=True,
        color=[color for _, color in present],
        label=[name for name, _ in present],
    )
    axes.set(xlabel="seconds since the first image", ylabel=f"frames in {edges[1] - edges[0]:.2g} s", xlim=(None, last))
    if [name for name, _ in present] != [PROCESSED]:
        axes.legend(loc="upper right", fontsize=8)
    return figure


def _draw_probabilities(axes: Axes, faces: FaceTable, rows: NDArray[np.int64], seconds: NDArray[np.float64]) -> None:
    colors = [_color(label) for label in faces.labels]
    for part in np.split(np.arange(len(rows)), np.flatnonzero(np.abs(np.diff(seconds)) > GAP_S) + 1):
        axes.stackplot(seconds[part], faces.smoothed[rows[part]].T, colors=colors, linewidth=0)
    axes.set(ylim=(0, 1), yticks=(0, 0.5, 1))
    axes.tick_params(labelsize=7)


def _draw_labels(
    axes: Axes, faces: FaceTable, rows: NDArray[np.int64], seconds: NDArray[np.float64], *, labeled: bool
) -> None:
    """Draws a band of published labels, uncertain ones paler, and above it one of true labels."""
    ends = np.append(seconds[1:], seconds[-1] + np.median(np.diff(seconds)) if len(seconds) > 1 else seconds[-1] + 0.1)
    widths = np.clip(ends - seconds, 0, GAP_S)
    alpha = np.where(faces.uncertain[rows], 0.35, 1.0)
    _band(axes, 0, seconds, widths, faces.label[rows].tolist(), alpha)
    if labeled:
        _band(axes, 1, seconds, widths, faces.truth[rows].tolist(), np.ones(len(rows)))
    axes.set(ylim=(0, 2 if labeled else 1), yticks=(0.5, 1.5) if labeled else (0.5,))
    axes.set_yticklabels(["predicted", "true"] if labeled else ["predicted"], fontsize=7)


def _band(
    axes: Axes,
    bottom: int,
    seconds: NDArray[np.float64],
    widths: NDArray[np.float64],
    labels: Sequence[str],
    alpha: NDArray[np.float64],
) -> None:
    colors = [(*_color(label), a) if label else (1.0, 1.0, 1.0, 0.0) for label, a in zip(labels, alpha, strict=True)]
    axes.broken_barh(list(zip(seconds, widths, strict=True)), (bottom + 0.1, 0.8), facecolors=colors, linewidth=0)


def _color(label: str) -> tuple[float, float, float]:
    """Returns the color of a label in the overlay, RGB 0..1."""
    return rgb_fractions(label_color(label))
