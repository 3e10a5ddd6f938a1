# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The CSV tables of an evaluation, from which all metrics are computed.

`frames.csv` has a row for each frame, `emotions.csv` one for each face of a processed frame, `regions.csv` one for each
labeled region of a processed frame. They are written row by row, so that memory does not grow with the length of a
recording, and read back into columns.

Hand-written because pandas, which nothing else here needs, takes 86 MB and more than a second to import.
"""

import csv
from array import array
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import PROCESSED, FrameResult
from emotion_perception.bags.scoring.labels import LabelRow
from emotion_perception.reporting.face_columns import face_cells, face_columns, rounded

TABLES = FRAMES, EMOTIONS, REGIONS = "frames.csv", "emotions.csv", "regions.csv"
_TIMES = ("latency_ms", "age_ms", "detect_ms", "classify_ms")
_FRAME = ("frame", "stamp_ns", "received_ns", "status", "faces", "width", "height", "problem", *_TIMES)
_TRUTH = ("truth", "group", "person")
_REGION = ("frame", "stamp_ns", "line", "label", "group", "person", "track_id")
_INTEGERS = ("frame", "stamp_ns", "track_id", "faces", "uncertain")


class TableWriter:
    """Writes the three tables into a folder.

    Args:
        folder: an existing folder.
        labels: label of each probability.
    """

    def __init__(self, folder: Path, labels: Sequence[str]) -> None:
        self._number_of_labels = len(labels)
        with ExitStack() as stack:
            files = [stack.enter_context(open(folder / name, "w", newline="", encoding="utf-8")) for name in TABLES]
            self._frames, self._faces, self._regions = (csv.writer(file, lineterminator="\n") for file in files)
            self._frames.writerow(_FRAME)
            self._faces.writerow((*face_columns(labels), *_TRUTH))
            self._regions.writerow(_REGION)
            self._files = stack.pop_all()

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def write(self, result: FrameResult, rows: Sequence[LabelRow], matched: Mapping[int, LabelRow]) -> None:
        """Writes the rows of a frame.

        Args:
            result: result of the frame.
            rows: the labels that apply to the frame.
            matched: label of each labeled face, by index of the face.
        """
        width, height = result.size or ("", "")
        times = [rounded(value) for value in (getattr(result, name) for name in _TIMES)]
        head = (result.index, result.stamp_ns)
        faces = len(result.emotions)
        self._frames.writerow((*head, result.received_ns, result.status, faces, width, height, result.problem, *times))
        for k, emotion in enumerate(result.emotions):
            cells = face_cells(*head, emotion, self._number_of_labels)
            self._faces.writerow((*cells, *_truth_cells(matched.get(k))))
        if result.status == PROCESSED:
            tracks = {row.line: result.emotions[k].face.track_id for k, row in matched.items()}
            for row in rows:
                if row.box is not None:
                    cells = (row.line, row.label, row.group, row.person, tracks.get(row.line, ""))
                    self._regions.writerow((*head, *cells))


@dataclass(frozen=True, eq=False)
class FrameTable:
    """Columns of `frames.csv` of one or more recordings.

    Attributes:
        bag: int64 (N), index of the recording.
        stamp_ns: int64 (N).
        status: str (N), one of `FRAME_STATUSES`.
        faces: int64 (N), number of faces.
        size: str (N), e.g. `640x480`; empty if unknown.
        problem: str (N), reason why the frame was not processed.
        times: float64 (N) by name, in milliseconds; NaN if not measured.
    """

    bag: NDArray[np.int64]
    stamp_ns: NDArray[np.int64]
    status: NDArray[np.str_]
    faces: NDArray[np.int64]
    size: NDArray[np.str_]
    problem: NDArray[np.str_]
    times: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class FaceTable:
    """Columns of `emotions.csv` of one or more recordings, of the faces that were classified in their frame.

    Attributes:
        labels: label of each probability.
        bag: int64 (N), index of the recording.
        stamp_ns: int64 (N).
        track_id: int64 (N).
        label: str (N), published label, after smoothing and hysteresis.
        score: float64 (N), its smoothed probability.
        uncertain: bool (N).
        probabilities: float32 (N, L), of the single frame.
        smoothed: float32 (N, L), smoothed over the track.
        truth: str (N), true label; empty if unlabeled.
        group: str (N), subgroup of the person; empty if unknown.
        not_classified: number of faces beside these whose predictions are earlier ones: nothing is computed from them.
    """

    labels: tuple[str, ...]
    bag: NDArray[np.int64]
    stamp_ns: NDArray[np.int64]
    track_id: NDArray[np.int64]
    label: NDArray[np.str_]
    score: NDArray[np.float64]
    uncertain: NDArray[np.bool_]
    probabilities: NDArray[np.float32]
    smoothed: NDArray[np.float32]
    truth: NDArray[np.str_]
    group: NDArray[np.str_]
    not_classified: int = 0


@dataclass(frozen=True, eq=False)
class RegionTable:
    """Columns of `regions.csv` of one or more recordings.

    Attributes:
        bag: int64 (N), index of the recording.
        stamp_ns: int64 (N).
        person: str (N), name of the person; empty if unknown.
        group: str (N), subgroup of the person; empty if unknown.
        track_id: int64 (N), track of the face that was detected in the region; 0 if none was.
    """

    bag: NDArray[np.int64]
    stamp_ns: NDArray[np.int64]
    person: NDArray[np.str_]
    group: NDArray[np.str_]
    track_id: NDArray[np.int64]


def read_frames(folders: Sequence[Path]) -> FrameTable:
    """Reads `frames.csv` of each folder; the frames are in the order of their recording."""
    bag, columns = _read([folder / FRAMES for folder in folders], _FRAME)
    sizes = [f"{w}x{h}" if w else "" for w, h in zip(columns["width"], columns["height"], strict=True)]
    return FrameTable(
        bag=bag,
        stamp_ns=columns["stamp_ns"],
        status=columns["status"],
        faces=columns["faces"],
        size=np.array(sizes, np.str_),
        problem=columns["problem"],
        times={name: columns[name] for name in _TIMES},
    )


def read_faces(folders: Sequence[Path], labels: tuple[str, ...]) -> FaceTable:
    """Reads `emotions.csv` of each folder; all of them have the same labels."""
    raw, smoothed = ([f"{kind}_{label}" for label in labels] for kind in ("probability", "smoothed"))
    names = ("stamp_ns", "track_id", "label", "score", "uncertain", "truth", "group", *raw, *smoothed)
    bag, columns = _read([folder / EMOTIONS for folder in folders], names)
    classified = ~np.isnan(columns[raw[0]])
    not_classified = len(bag) - int(classified.sum())
    bag, columns = bag[classified], {name: values[classified] for name, values in columns.items()}
    return FaceTable(
        labels=labels,
        bag=bag,
        stamp_ns=columns["stamp_ns"],
        track_id=columns["track_id"],
        label=columns["label"],
        score=columns["score"],
        uncertain=columns["uncertain"].astype(bool),
        probabilities=np.stack([columns[name] for name in raw], axis=1).astype(np.float32),  # (N, L)
        smoothed=np.stack([columns[name] for name in smoothed], axis=1).astype(np.float32),  # (N, L)
        truth=columns["truth"],
        group=columns["group"],
        not_classified=not_classified,
    )


def read_regions(folders: Sequence[Path]) -> RegionTable:
    """Reads `regions.csv` of each folder."""
    bag, columns = _read([folder / REGIONS for folder in folders], _REGION)
    return RegionTable(
        bag=bag,
        stamp_ns=columns["stamp_ns"],
        person=columns["person"],
        group=columns["group"],
        track_id=columns["track_id"],
    )


def _read(paths: Sequence[Path], names: Sequence[str]) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Returns the index of each row's file, and the named columns."""
    columns = [_Column(name) for name in names]
    bags = array("q")
    for bag, path in enumerate(paths):
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            header = next(reader)
            indices = [header.index(name) for name in names]
            for row in reader:
                bags.append(bag)
                for column, index in zip(columns, indices, strict=True):
                    column.append(row[index])
    return np.array(bags, np.int64), {name: column.values() for name, column in zip(names, columns, strict=True)}


class _Column:
    """Cells of one column in a compact form: machine numbers, or strings of which equal ones are stored once."""

    def __init__(self, name: str) -> None:
        self._integer = name in _INTEGERS
        number = self._integer or name in (*_TIMES, "score") or name.startswith(("probability_", "smoothed_"))
        self._numbers: array[Any] | None = array("q" if self._integer else "d") if number else None
        self._texts: list[str] = []
        self._distinct: dict[str, str] = {}

    def append(self, cell: str) -> None:
        if self._numbers is None:
            self._texts.append(self._distinct.setdefault(cell, cell))
        else:
            self._numbers.append(int(cell or 0) if self._integer else float(cell or "nan"))

    def values(self) -> NDArray[Any]:
        if self._numbers is None:
            return np.array(self._texts, np.str_)
        return np.array(self._numbers, np.int64 if self._integer else np.float64)


def _truth_cells(row: LabelRow | None) -> tuple[str, str, str]:
    return ("", "", "") if row is None else (row.label, row.group, row.person)
