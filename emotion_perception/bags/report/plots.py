# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The images of a recording's report."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import OUTCOMES, PROCESSED
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.scoring.metrics import tracks_of
from emotion_perception.bags.scoring.tables import FaceTable, FrameTable
from emotion_perception.core.rendering.overlay import COLORS, OTHER_COLOR
from emotion_perception.reporting.plots import BLUE, ORANGE, WIDTH

MOST_TRACKS = 12  # that are drawn, the longest
_BINS = 60
_GAP_S = 1.0  # a longer pause of a track is left white
_OUTCOME_COLORS = ("#2f6fa7", "#c2641a", "#e2b13c", "#7a3b8f", "#a32020", "#8a8a8a")


def draw_timeline(faces: FaceTable, first_stamp_ns: int) -> Figure | None:
    """Draws the smoothed probabilities of the longest tracks over time, under each the labels; None without faces.

    Args:
        faces: of one recording.
        first_stamp_ns: stamp of the first image, where time begins.
    """
    tracks = sorted(tracks_of(faces), key=lambda rows: (-len(rows), rows[0]))[:MOST_TRACKS]
    if not tracks:
        return None
    tracks.sort(key=lambda rows: rows[0])
    judged = bool((faces.truth != "").any())
    figure, axes = plt.subplots(
        2 * len(tracks),
        1,
        figsize=(WIDTH * 1.4, 0.5 + 1.75 * len(tracks)),
        height_ratios=(5, 2 if judged else 1) * len(tracks),
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    seconds = (faces.stamp_ns - first_stamp_ns) / NS
    for rows, (upper, lower) in zip(tracks, axes.reshape(-1, 2), strict=True):
        _draw_probabilities(upper, faces, rows, seconds[rows])
        _draw_labels(lower, faces, rows, seconds[rows], judged=judged)
        upper.set_title(f"face {faces.track[rows[0]]}, {len(rows)} frames", fontsize=9, loc="left")
    axes[-1, 0].set(xlabel="seconds since the first image")
    handles = [Patch(color=_color(label), label=label) for label in faces.labels]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=8)
    return figure


def draw_latency(frames: FrameTable, what: str) -> Figure | None:
    """Draws the histogram of `latency_ms` with its median and 99th percentile; None where none was measured.

    Args:
        frames: of one or more recordings.
        what: what the latency is, for people.
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
    axes.legend(frameon=False)
    axes.set(xlabel=f"ms {what}", ylabel="frames")
    axes.xaxis.label.set_fontsize(8)
    return figure


def draw_drops(frames: FrameTable, first_stamp_ns: int) -> Figure:
    """Draws what became of the frames of one recording over time."""
    seconds = (frames.stamp_ns - first_stamp_ns) / NS
    last = max(float(seconds.max(initial=0)), 1e-3)
    edges = np.linspace(min(0.0, float(seconds.min(initial=0))), last, 1 + min(_BINS, max(1, int(np.ceil(last)))))
    present = [(name, color) for name, color in zip(OUTCOMES, _OUTCOME_COLORS, strict=True) if name in frames.outcome]
    figure, axes = plt.subplots(figsize=(WIDTH, 2.6), layout="constrained")
    axes.hist(
        [seconds[frames.outcome == name] for name, _ in present],
        bins=edges.tolist(),
        stacked=True,
        color=[color for _, color in present],
        label=[name for name, _ in present],
    )
    axes.set(xlabel="seconds since the first image", ylabel=f"frames in {edges[1] - edges[0]:.2g} s", xlim=(None, last))
    if [name for name, _ in present] != [PROCESSED]:
        axes.legend(fontsize=8)
    return figure


def _draw_probabilities(axes: Axes, faces: FaceTable, rows: NDArray[np.int64], seconds: NDArray[np.float64]) -> None:
    colors = [_color(label) for label in faces.labels]
    for part in np.split(np.arange(len(rows)), np.flatnonzero(np.abs(np.diff(seconds)) > _GAP_S) + 1):
        axes.stackplot(seconds[part], faces.smoothed[rows[part]].T, colors=colors, linewidth=0)
    axes.set(ylim=(0, 1), yticks=(0, 0.5, 1))
    axes.tick_params(labelsize=7)


def _draw_labels(
    axes: Axes, faces: FaceTable, rows: NDArray[np.int64], seconds: NDArray[np.float64], *, judged: bool
) -> None:
    """Draws a band of what was shown, uncertain answers paler, and above it one of what people say."""
    ends = np.append(seconds[1:], seconds[-1] + np.median(np.diff(seconds)) if len(seconds) > 1 else seconds[-1] + 0.1)
    widths = np.clip(ends - seconds, 0, _GAP_S)
    alpha = np.where(faces.uncertain[rows], 0.35, 1.0)
    _band(axes, 0, seconds, widths, faces.label[rows].tolist(), alpha)
    if judged:
        _band(axes, 1, seconds, widths, faces.truth[rows].tolist(), np.ones(len(rows)))
    axes.set(ylim=(0, 2 if judged else 1), yticks=(0.5, 1.5) if judged else (0.5,))
    axes.set_yticklabels(["shown", "label"] if judged else ["shown"], fontsize=7)


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
    """Returns the overlay's color of a label, RGB 0..1."""
    blue, green, red = COLORS.get(label, OTHER_COLOR)
    return red / 255, green / 255, blue / 255
