# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the official `fer2013.csv`, and `fer2013new.csv` with the votes of ten taggers per image (FER+).

Barsoum et al. 2016, "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution".
"""

import itertools
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import LABELS, label_index
from emotion_perception.core.errors import DatasetError, ImageError, clipped
from emotion_perception.core.paths import local_path
from emotion_perception.core.printable import printable
from emotion_perception.core.text_files import read_table
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.images import find_leaks, split_rank
from emotion_perception.training.datasets.npz import MOST_VOTES, vote_name, vote_shares
from emotion_perception.training.datasets.problems import ProblemLog

_SIDE = 48  # pixels
_VOTES_FILE = "fer2013new.csv"
_NO_FACE = "nf"
_LONGEST_HEADER = 100  # letters of it in a message


def load_fer2013(path: Path, *, votes: str = "") -> FaceDataset:
    """Reads the CSV file, with columns in any order, into memory; malformed lines are left out.

    Args:
        path: CSV file with the columns `emotion` (numbers or words), `pixels` and, optionally, `Usage`.
        votes: path of FER+'s CSV file; empty takes `fer2013new.csv` beside `path` if it exists, `none` reads no votes.

    Raises:
        DatasetError: a file is missing or not in this format.
    """
    images, labels, splits, lines, log = [], [], [], [], ProblemLog()
    usages: dict[str, str] = {}  # by lower-case name: the first spelling
    total = 0
    for line, (number, row) in enumerate(_rows(path, {"emotion", "pixels"})):
        total = line + 1
        try:
            image, label, split = _image(row["pixels"]), _label(row["emotion"]), _usage(row)
        except ImageError as e:
            log.add("corrupt image", f"line {number}: {e}")
            continue
        except DatasetError as e:
            log.add("wrong label or split", f"line {number}: {e}")
            continue
        images.append(image)
        labels.append(label)
        splits.append(usages.setdefault(split.lower(), split))
        lines.append(line)
    stack = np.array(images, np.uint8).reshape(-1, _SIDE, _SIDE)
    has_splits = any(splits)
    names, shares = _votes(path, votes, lines, splits, total)
    return FaceDataset(
        images=stack,
        labels=np.array(labels, np.int64),
        class_names=LABELS,
        splits=np.array(splits, str) if has_splits else None,
        leak=find_leaks(stack, splits, _in_order(splits)) if has_splits else None,
        votes=shares,
        vote_names=names,
        rejected=shares[:, names.index(_NO_FACE)] == 1 if shares is not None and _NO_FACE in names else None,
        problems=log.problems(),
    )


def _in_order(splits: Collection[str]) -> list[str]:
    """Returns the splits of a known name, e.g. Training, PublicTest, PrivateTest, in their order."""
    ranks = {name: rank for name in sorted(set(splits)) if (rank := split_rank(name)) is not None}
    return sorted(ranks, key=lambda name: ranks[name])


def _rows(path: Path, needed: set[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yields the line number and the cells of each row by lower-case column name; missing cells are empty."""
    table = read_table(path)
    _, header = next(table, (1, []))
    names = [name.lower() for name in header]
    if missing := needed - set(names):
        shown = printable(", ".join(names))[:_LONGEST_HEADER]
        raise DatasetError(f"lacks the column {', '.join(sorted(missing))}; the first line has {shown or 'nothing'}")
    if twice := {name for name in needed | {"usage"} if names.count(name) > 1}:
        raise DatasetError(f"has the column {', '.join(sorted(twice))} more than once")
    for line, cells in table:
        yield line, dict(itertools.zip_longest(names, cells[: len(names)], fillvalue=""))


def _image(text: str) -> NDArray[np.uint8]:
    try:
        values = np.array(text.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise ImageError("pixels are not whole numbers") from None
    if values.size != _SIDE**2:
        raise ImageError(f"{values.size} pixels instead of {_SIDE**2}")
    if values.min() < 0 or values.max() > 255:
        raise ImageError("a pixel is not within 0..255")
    return values.astype(np.uint8)


def _label(text: str) -> int:
    try:
        return label_index(text)
    except DatasetError as e:
        raise DatasetError(f"emotion {e}") from None


def _usage(row: Mapping[str, str]) -> str:
    """Returns the split, empty if the file has no splits."""
    if "usage" in row and not row["usage"]:
        raise DatasetError("no Usage")
    return row.get("usage", "")


def _votes(
    path: Path, votes: str, lines: list[int], splits: list[str], total: int
) -> tuple[tuple[str, ...], NDArray[np.float32] | None]:
    """Returns the names and fractions of the votes for the lines that were read; nothing if there are no votes."""
    beside = path.with_name(_VOTES_FILE)
    if votes == "none" or not (votes or beside.is_file()):
        return (), None
    file = local_path(votes) if votes else beside
    try:
        rows = list(_rows(file, {"neutral", "happiness"}))
    except OSError as e:
        raise DatasetError(f"votes {file}: {e.strerror}") from e
    except DatasetError as e:
        raise DatasetError(f"{file.name}: {e}") from None
    if len(rows) != total or not rows:
        raise DatasetError(f"{file.name} has {len(rows)} rows, {path.name} has {total}")
    names = tuple(name for name in rows[0][1] if name not in ("", "usage", "image name"))
    chosen = [rows[line] for line in lines]
    for (number, row), split in zip(chosen, splits, strict=True):
        if split and row.get("usage", split).lower() != split.lower():
            raise DatasetError(f"{file.name}: line {number} is in {row['usage']}, that of {path.name} in {split}")
    counts = np.array([_counts(row, names, f"{file.name}: line {number}") for number, row in chosen], np.int64)
    return tuple(map(vote_name, names)), vote_shares(counts.reshape(-1, len(names)))


def _counts(row: Mapping[str, str], names: tuple[str, ...], place: str) -> list[int]:
    """Returns the votes of a row, which a spreadsheet may have written as `1.0`."""
    counts = []
    for name in names:
        try:
            value = float(row[name])
        except ValueError:
            value = np.nan
        if not value.is_integer() or abs(value) > MOST_VOTES:
            raise DatasetError(
                f"{place}: votes for {name} '{clipped(row[name])}' are not a whole number up to {MOST_VOTES:,}"
            )
        counts.append(int(value))
    return counts
