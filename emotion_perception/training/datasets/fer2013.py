# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the official `fer2013.csv`, and `fer2013new.csv` with the votes of ten taggers per image (FER+).

Barsoum et al. 2016, "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution".
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import LABELS
from emotion_perception.core.errors import DatasetError, ImageError
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.images import find_leaks
from emotion_perception.training.datasets.npz import vote_shares
from emotion_perception.training.datasets.problems import ProblemLog

_SIDE = 48  # pixels
_SPLITS = ("Training", "PublicTest", "PrivateTest")  # an image that is also in a later one has leaked
_VOTES_FILE = "fer2013new.csv"
_NO_FACE = "nf"


def load_fer2013(path: Path, *, votes: str = "") -> FaceDataset:
    """Reads the CSV file, with columns in any order, into memory; malformed lines are left out.

    Args:
        path: CSV file with the columns `emotion`, `pixels` and, optionally, `Usage`.
        votes: path of FER+'s CSV file; empty takes `fer2013new.csv` beside `path` if it exists, `none` reads no votes.

    Raises:
        DatasetError: a file is missing or not in this format.
    """
    images, labels, splits, lines, log = [], [], [], [], ProblemLog()
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
        splits.append(split)
        lines.append(line)
    stack = np.array(images, np.uint8).reshape(-1, _SIDE, _SIDE)
    has_splits = any(splits)
    names, shares = _votes(path, votes, lines, splits, total)
    return FaceDataset(
        images=stack,
        labels=np.array(labels, np.int64),
        class_names=LABELS,
        splits=np.array(splits, str) if has_splits else None,
        leak=find_leaks(stack, splits, _SPLITS) if has_splits else None,
        votes=shares,
        vote_names=names,
        rejected=shares[:, names.index(_NO_FACE)] == 1 if shares is not None and _NO_FACE in names else None,
        problems=log.problems(),
    )


def _rows(path: Path, needed: set[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yields the line number and the cells of each row by lower-case column name."""
    try:
        with open(path, newline="", encoding="utf-8", errors="replace") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
            if missing := needed - set(reader.fieldnames):
                raise DatasetError(f"lacks the column {', '.join(sorted(missing))}")
            for row in reader:
                yield reader.line_num, {name: text or "" for name, text in row.items() if name is not None}
    except csv.Error as e:
        raise DatasetError(f"line {reader.line_num}: not CSV ({e})") from e
    except OSError as e:
        raise DatasetError(f"{path.name}: {e.strerror}") from e


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
    if not text.strip().isdecimal() or int(text) >= len(LABELS):
        raise DatasetError(f"emotion '{text}' is not within 0..{len(LABELS) - 1}")
    return int(text)


def _usage(row: Mapping[str, str]) -> str:
    """Returns the split, empty if the file has no splits."""
    if "usage" in row and not row["usage"].strip():
        raise DatasetError("no Usage")
    return row.get("usage", "").strip()


def _votes(
    path: Path, votes: str, lines: list[int], splits: list[str], total: int
) -> tuple[tuple[str, ...], NDArray[np.float32] | None]:
    """Returns the names and fractions of the votes for the lines that were read; nothing if there are no votes."""
    beside = path.with_name(_VOTES_FILE)
    if votes == "none" or not (votes or beside.is_file()):
        return (), None
    file = Path(votes).expanduser() if votes else beside
    rows = [row for _, row in _rows(file, {"neutral", "happiness"})]
    if len(rows) != total or not rows:
        raise DatasetError(f"{file.name} has {len(rows)} rows, {path.name} has {total}")
    names = tuple(name for name in rows[0] if name not in ("usage", "image name"))
    chosen = [rows[line] for line in lines]
    for line, row, split in zip(lines, chosen, splits, strict=True):
        if split and row.get("usage", split).strip() != split:
            raise DatasetError(f"{file.name}: line {line + 2} is in {row['usage']}, that of {path.name} in {split}")
    try:
        counts = np.array([[int(row[name]) for name in names] for row in chosen], np.int64).reshape(-1, len(names))
    except ValueError:
        raise DatasetError(f"{file.name}: votes are not whole numbers") from None
    return names, vote_shares(counts)
