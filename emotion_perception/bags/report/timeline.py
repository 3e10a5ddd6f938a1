# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The time line of a report's page: probabilities and labels of the longest tracks, as shapes of SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.scoring.metrics import tracks_of
from emotion_perception.bags.scoring.tables import FaceTable
from emotion_perception.core.rendering import EMOTION_COLORS, label_color

MAX_TRACKS = 12  # shown, the longest ones
GAP_S = 1.0  # longer gaps of a track are left empty, except where its faces are rarer
WIDTH, HEIGHT = 1000, 100  # of the drawing, in units of SVG
_POINTS = 600  # of a track; more cannot be told apart
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)  # seconds between numbers
_MAX_TICKS = 8


@dataclass(frozen=True)
class Bar:
    """A stretch of time in which a track has one label.

    Attributes:
        x: its left end, 0..`WIDTH`.
        width: its width in the same unit.
        label: the label.
        color: of the label, `#RRGGBB`.
        opacity: 1, or less where the predictions are uncertain.
    """

    x: float
    width: float
    label: str
    color: str
    opacity: float


@dataclass(frozen=True)
class TrackLine:
    """The time line of a track.

    Attributes:
        track_id: the track.
        count: number of its faces.
        areas: label, color and `d` attribute of the area of each label, stacked upwards.
        predicted: published labels.
        true: true labels; empty without labels.
    """

    track_id: int
    count: int
    areas: Sequence[tuple[str, str, str]]
    predicted: Sequence[Bar]
    true: Sequence[Bar]


@dataclass(frozen=True)
class Timeline:
    """The time line of a recording.

    Attributes:
        start_ns: stamp at its left end.
        seconds: its length, more than 0.
        tracks: in the order of their first face.
        legend: label and color of each label.
        ticks: place, 0..`WIDTH`, and text of each number of the axis.
    """

    start_ns: int
    seconds: float
    tracks: Sequence[TrackLine]
    legend: Sequence[tuple[str, str]]
    ticks: Sequence[tuple[float, str]]


def make_timeline(faces: FaceTable, stamps_ns: Sequence[int], first_stamp_ns: int) -> Timeline:
    """Returns the time line of one recording.

    Args:
        faces: its faces.
        stamps_ns: of all of its frames and of the images that the page shows.
        first_stamp_ns: stamp of the first image, at time 0.
    """
    start_ns, end_ns = min([first_stamp_ns, *stamps_ns]), max([first_stamp_ns, *stamps_ns])
    seconds = max((end_ns - start_ns) / NS, 1e-3)
    tracks = sorted(tracks_of(faces), key=lambda rows: (-len(rows), rows[0]))[:MAX_TRACKS]
    tracks.sort(key=lambda rows: rows[0])
    labels = list(dict.fromkeys([*faces.labels, *(str(label) for label in np.unique(faces.truth) if label)]))
    legend = [(label, label_color(label)) for label in labels]
    legend.sort(key=lambda entry: entry[0] not in EMOTION_COLORS)
    lines = [
        _track_line(faces, rows, (faces.stamp_ns[rows] - start_ns) / NS / seconds * WIDTH, seconds) for rows in tracks
    ]
    return Timeline(start_ns, seconds, lines, legend, _ticks(start_ns, first_stamp_ns, seconds))


def _track_line(faces: FaceTable, rows: NDArray[np.int64], x: NDArray[np.float64], seconds: float) -> TrackLine:
    gap = max(GAP_S / seconds * WIDTH, 3 * _usual_step(x))
    bars = faces.label[rows].tolist(), np.where(faces.uncertain[rows], 0.4, 1.0).tolist()
    truth = faces.truth[rows].tolist()
    return TrackLine(
        track_id=int(faces.track_id[rows[0]]),
        count=len(rows),
        areas=_areas(faces, rows, x, gap),
        predicted=list(_bars(x, *bars, gap)),
        true=list(_bars(x, truth, [1.0] * len(rows), gap)),
    )


def _areas(faces: FaceTable, rows: NDArray[np.int64], x: NDArray[np.float64], gap: float) -> list[tuple[str, str, str]]:
    order = np.argsort(x, kind="stable")
    x, rows = x[order], rows[order]
    kept = np.unique((x * (_POINTS / WIDTH)).astype(np.int64), return_index=True)[1]
    x, shares = x[kept], faces.smoothed[rows[kept]].astype(np.float64)  # (N), (N, L)
    tops = HEIGHT * (1 - np.clip(np.nan_to_num(shares).cumsum(axis=1), 0, 1))  # y points down
    parts = np.split(np.arange(len(x)), np.flatnonzero(np.diff(x) > max(gap, 2 * WIDTH / _POINTS)) + 1)
    areas = []
    for k, label in enumerate(faces.labels):
        below = tops[:, k - 1] if k else np.full(len(x), float(HEIGHT))
        path = "".join(_area(x[part], tops[part, k], below[part]) for part in parts if len(part) > 1)
        areas.append((label, label_color(label), path))
    return areas


def _area(x: NDArray[np.float64], top: NDArray[np.float64], bottom: NDArray[np.float64]) -> str:
    there = zip(x, top, strict=True)
    back = zip(x[::-1], bottom[::-1], strict=True)
    return "M" + "L".join(f"{left:.1f} {y:.1f}" for left, y in (*there, *back)) + "Z"


def _bars(x: NDArray[np.float64], labels: Sequence[str], opacities: Sequence[float], gap: float) -> Iterator[Bar]:
    """Yields a bar for each run of equal labels without a gap; a bar reaches to the next face."""
    order, usual = np.argsort(x, kind="stable").tolist(), _usual_step(x)
    begun: tuple[float, str, float] | None = None
    end = 0.0
    for index in order:
        left, label, opacity = float(x[index]), str(labels[index]), opacities[index]
        if begun is not None:
            near = left - end <= gap
            end = left if near else end + usual
            if not near or begun[1:] != (label, opacity):
                yield from _bar(begun, end)
                begun = None
        if begun is None:
            begun = left, label, opacity
        end = left
    if begun is not None:
        yield from _bar(begun, end + usual)


def _usual_step(x: NDArray[np.float64]) -> float:
    return float(np.median(np.diff(np.sort(x)))) if len(x) > 1 else 1.0


def _bar(begun: tuple[float, str, float], end: float) -> Iterator[Bar]:
    left, label, opacity = begun
    if label:
        yield Bar(left, max(end - left, 0.5), label, label_color(label), opacity)


def _ticks(start_ns: int, first_stamp_ns: int, seconds: float) -> list[tuple[float, str]]:
    """Returns the numbers of the axis, in seconds since the first image."""
    step = next((step for step in _TICKS if seconds / step <= _MAX_TICKS), seconds / _MAX_TICKS)
    first = (start_ns - first_stamp_ns) / NS
    numbers = np.arange(np.ceil(first / step), np.floor((first + seconds) / step) + 1) * step
    return [((number - first) / seconds * WIDTH, f"{number:g}") for number in numbers.tolist()]
