# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The three tables that an evaluation leaves as CSV, and from which every figure is computed.

`frames.csv` has a row for every frame, `emotions.csv` one for every face of a processed frame, `regions.csv` one for
every labeled region of a processed frame. They are written row by row, so that a long recording needs no memory, and
read back into columns.
"""

import csv
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import PROCESSED, FrameResult
from emotion_perception.bags.scoring.labels import LabelRow
from emotion_perception.core.types import FaceEmotion

FRAMES, EMOTIONS, REGIONS = "frames.csv", "emotions.csv", "regions.csv"
_TIMES = ("latency_ms", "age_ms", "detect_ms", "classify_ms")
_FRAME = ("frame", "stamp_ns", "received_ns", "outcome", "faces", "width", "height", "problem", *_TIMES)
_FACE = ("frame", "stamp_ns", "track", "x", "y", "w", "h", "detection_score", "label", "score", "uncertain")
_TRUTH = ("truth", "group", "person")
_REGION = ("frame", "stamp_ns", "line", "label", "group", "person", "track")
_WHOLE = ("stamp_ns", "track", "faces", "uncertain")
_DIGITS = 6


class TableWriter:
    """Writes the three tables into a folder.

    Args:
        folder: must exist.
        labels: label of each probability.
    """

    def __init__(self, folder: Path, labels: Sequence[str]) -> None:
        columns = [f"{kind}_{label}" for kind in ("probability", "smoothed") for label in labels]
        self._files = [open(folder / name, "w", newline="", encoding="utf-8") for name in (FRAMES, EMOTIONS, REGIONS)]  # noqa: SIM115
        self._frames, self._faces, self._regions = (csv.writer(file, lineterminator="\n") for file in self._files)
        self._frames.writerow(_FRAME)
        self._faces.writerow((*_FACE, *columns, *_TRUTH))
        self._regions.writerow(_REGION)

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()

    def write(self, outcome: FrameResult, rows: Sequence[LabelRow], matched: Mapping[int, LabelRow]) -> None:
        """Writes a frame.

        Args:
            outcome: what became of it.
            rows: what people say of it.
            matched: the row of each face that has one, by the face's index.
        """
        width, height = outcome.size or ("", "")
        times = [_rounded(value) for value in (getattr(outcome, name) for name in _TIMES)]
        head = (outcome.number, outcome.stamp_ns)
        faces = len(outcome.emotions)
        self._frames.writerow(
            (*head, outcome.received_ns, outcome.outcome, faces, width, height, outcome.problem, *times)
        )
        for k, emotion in enumerate(outcome.emotions):
            self._faces.writerow((*head, *_face_cells(emotion), *_truth_cells(matched.get(k))))
        if outcome.outcome == PROCESSED:
            tracks = {row.line: outcome.emotions[k].face.track_id for k, row in matched.items()}
            for row in rows:
                if row.box is not None:
                    cells = (row.line, row.label, row.group, row.person, tracks.get(row.line, ""))
                    self._regions.writerow((*head, *cells))


@dataclass(frozen=True, eq=False)
class FrameTable:
    """`frames.csv` of one or more recordings in columns.

    Attributes:
        bag: int64 (N), number of the recording.
        stamp_ns: int64 (N).
        outcome: str (N).
        faces: int64 (N).
        size: str (N), `640x480`, empty where unknown.
        problem: str (N).
        times: float64 (N) by name, NaN where there is none, in milliseconds.
    """

    bag: NDArray[np.int64]
    stamp_ns: NDArray[np.int64]
    outcome: NDArray[np.str_]
    faces: NDArray[np.int64]
    size: NDArray[np.str_]
    problem: NDArray[np.str_]
    times: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class FaceTable:
    """`emotions.csv` of one or more recordings in columns.

    Attributes:
        labels: label of each probability.
        bag: int64 (N), number of the recording.
        stamp_ns: int64 (N).
        track: int64 (N).
        label: str (N), as shown.
        score: float64 (N).
        uncertain: bool (N).
        probabilities: float32 (N, L), of the frame alone.
        smoothed: float32 (N, L).
        truth: str (N), what people say, empty where they do not.
        group: str (N).
    """

    labels: tuple[str, ...]
    bag: NDArray[np.int64]
    stamp_ns: NDArray[np.int64]
    track: NDArray[np.int64]
    label: NDArray[np.str_]
    score: NDArray[np.float64]
    uncertain: NDArray[np.bool_]
    probabilities: NDArray[np.float32]
    smoothed: NDArray[np.float32]
    truth: NDArray[np.str_]
    group: NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class RegionTable:
    """`regions.csv` of one or more recordings in columns.

    Attributes:
        bag: int64 (N), number of the recording.
        stamp_ns: int64 (N).
        person: str (N), who it is, empty where nobody says.
        group: str (N).
        track: int64 (N), the face that was found there, 0 where none was.
    """

    bag: NDArray[np.int64]
    stamp_ns: NDArray[np.int64]
    person: NDArray[np.str_]
    group: NDArray[np.str_]
    track: NDArray[np.int64]


def read_frames(folders: Sequence[Path]) -> FrameTable:
    """Reads `frames.csv` of each folder."""
    bag, columns = _read([folder / FRAMES for folder in folders], _FRAME)
    sizes = [f"{w}x{h}" if w else "" for w, h in zip(columns["width"], columns["height"], strict=True)]
    return FrameTable(
        bag,
        columns["stamp_ns"],
        columns["outcome"],
        columns["faces"],
        np.array(sizes, np.str_),
        columns["problem"],
        {name: columns[name] for name in _TIMES},
    )


def read_faces(folders: Sequence[Path], labels: tuple[str, ...]) -> FaceTable:
    """Reads `emotions.csv` of each folder, all with these labels."""
    plain, smoothed = ([f"{kind}_{label}" for label in labels] for kind in ("probability", "smoothed"))
    names = ("stamp_ns", "track", "label", "score", "uncertain", "truth", "group", *plain, *smoothed)
    bag, columns = _read([folder / EMOTIONS for folder in folders], names)
    return FaceTable(
        labels,
        bag,
        columns["stamp_ns"],
        columns["track"],
        columns["label"],
        columns["score"],
        columns["uncertain"].astype(bool),
        np.stack([columns[name] for name in plain], axis=1).astype(np.float32),
        np.stack([columns[name] for name in smoothed], axis=1).astype(np.float32),
        columns["truth"],
        columns["group"],
    )


def read_regions(folders: Sequence[Path]) -> RegionTable:
    """Reads `regions.csv` of each folder."""
    bag, columns = _read([folder / REGIONS for folder in folders], _REGION)
    return RegionTable(bag, columns["stamp_ns"], columns["person"], columns["group"], columns["track"])


def _read(paths: Iterable[Path], names: Sequence[str]) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Returns the number of each row's file, and the named columns."""
    columns = [_Column(name) for name in names]
    bags = array("q")
    for number, path in enumerate(paths):
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            header = next(reader)
            places = [header.index(name) for name in names]
            for row in reader:
                bags.append(number)
                for column, place in zip(columns, places, strict=True):
                    column.append(row[place])
    return np.array(bags, np.int64), {name: column.values() for name, column in zip(names, columns, strict=True)}


class _Column:
    """Cells of one column, as compact as their kind allows."""

    def __init__(self, name: str) -> None:
        self._whole = name in _WHOLE
        number = self._whole or name in (*_TIMES, "score") or name.startswith(("probability_", "smoothed_"))
        self._numbers: array[Any] | None = array("q" if self._whole else "d") if number else None
        self._texts: list[str] = []
        self._known: dict[str, str] = {}  # equal texts are kept once

    def append(self, cell: str) -> None:
        if self._numbers is None:
            self._texts.append(self._known.setdefault(cell, cell))
        else:
            self._numbers.append(int(cell or 0) if self._whole else float(cell or "nan"))

    def values(self) -> NDArray[Any]:
        if self._numbers is None:
            return np.array(self._texts, np.str_)
        return np.array(self._numbers, np.int64 if self._whole else np.float64)


def _face_cells(emotion: FaceEmotion) -> tuple[Any, ...]:
    face, box = emotion.face, emotion.face.box
    probabilities = (_rounded(p) for p in (*emotion.probabilities, *emotion.smoothed_probabilities))
    return (
        *(face.track_id, box.x_min, box.y_min, box.width, box.height, _rounded(face.score)),
        *(emotion.label, _rounded(emotion.score), int(emotion.uncertain)),
        *probabilities,
    )


def _truth_cells(row: LabelRow | None) -> tuple[str, str, str]:
    return ("", "", "") if row is None else (row.label, row.group, row.person)


def _rounded(value: float | None) -> float | str:
    return "" if value is None else round(float(value), _DIGITS)
