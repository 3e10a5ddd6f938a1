# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Examines a dataset before training: sizes of classes and splits, blank, leaked and duplicate images."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.printable import printable
from emotion_perception.training.datasets.face_dataset import MIN_DEVIATION, FaceDataset
from emotion_perception.training.datasets.images import deviations, digests
from emotion_perception.training.datasets.problems import Problem

_ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Images of a split that are also, with equal pixels, in another split.

    Attributes:
        split: name of the split.
        other: name of the other split.
        count: number of images of `split` with a duplicate in `other`.
        example: such an image and its duplicate, by file name or row.
    """

    split: str
    other: str
    count: int
    example: tuple[str, str]

    def __str__(self) -> str:
        return f"{self.count} images of {self.split} are also in {self.other} (e.g. {' = '.join(self.example)})"


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """Content of a dataset.

    Attributes:
        counts: split -> class -> number of images; the split is `all` if the dataset has no splits.
        subjects: number of subjects; 0 if they are not known.
        blank: number of images with a standard deviation below one gray level, which are not trained on.
        rejected: number of images without a face according to the taggers, which are not trained on.
        leaked: number of images that are also in a later split, which are not trained on.
        duplicates: between splits.
        repeated: number of images that occur more than once.
        contradictory: number of repeated images with different labels.
        problems: what the loader has left out.
    """

    counts: Mapping[str, Mapping[str, int]]
    subjects: int
    blank: int
    rejected: int
    leaked: int
    duplicates: tuple[Duplicates, ...]
    repeated: int
    contradictory: int
    problems: tuple[Problem, ...]

    def lines(self) -> list[str]:
        """Returns the report as printable text, one fact per line."""
        lines = []
        for split, counts in self.counts.items():
            classes = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
            lines.append(f"{split}: {sum(counts.values())} images ({classes})")
            if absent := [name for name, count in counts.items() if not count]:
                lines.append(f"{split}: no image of {', '.join(absent)}")
        facts = {
            "subjects": self.subjects,
            "blank images, not trained on": self.blank,
            "images without a face according to all taggers, not trained on": self.rejected,
            "images that are also in a later split, not trained on": self.leaked,
            "images that occur more than once": self.repeated,
            "images that occur more than once with different labels": self.contradictory,
        }
        lines += [f"{count} {what}" for what, count in facts.items() if count]
        lines += [str(entry) for entry in self.duplicates] + [f"left out: {entry}" for entry in self.problems]
        return list(map(printable, lines))  # names of splits and files are those of the data


def examine(data: FaceDataset) -> DataReport:
    """Counts classes, blank, leaked and duplicate images; the images are read in chunks."""
    splits = np.full(len(data), _ALL) if data.splits is None else data.splits
    names = list(dict.fromkeys(splits.tolist()))
    blank = deviations(data.images) < MIN_DEVIATION
    rows = np.flatnonzero(~blank)
    _, groups, sizes = np.unique(digests(data.images)[rows], return_inverse=True, return_counts=True)
    mixed = np.zeros(len(sizes), bool)
    first_label = np.zeros(len(sizes), np.int64)
    first_label[groups] = data.labels[rows]
    np.logical_or.at(mixed, groups, data.labels[rows] != first_label[groups])
    return DataReport(
        counts={name: _counts(data, splits == name) for name in names},
        subjects=0 if data.subjects is None else len(np.unique(data.subjects)),
        blank=int(blank.sum()),
        rejected=_count_true(data.rejected),
        leaked=_count_true(data.leak),
        duplicates=_duplicates(data, names, splits[rows], rows, groups),
        repeated=int((sizes[groups] > 1).sum()),
        contradictory=int(mixed[groups].sum()),
        problems=data.problems,
    )


def _counts(data: FaceDataset, rows: NDArray[np.bool_]) -> dict[str, int]:
    counts = np.bincount(data.labels[rows], minlength=len(data.class_names)).tolist()
    return dict(zip(data.class_names, counts, strict=True))


def _count_true(flags: NDArray[np.bool_] | None) -> int:
    return 0 if flags is None else int(flags.sum())


def _duplicates(
    data: FaceDataset, names: list[str], splits: NDArray[np.str_], rows: NDArray[np.intp], groups: NDArray[np.intp]
) -> tuple[Duplicates, ...]:
    """Returns the duplicates between each pair of splits; `groups` is the same for images with equal pixels."""
    found = []
    for name, other in itertools.combinations(names, 2):
        duplicates = np.flatnonzero((splits == name) & np.isin(groups, groups[splits == other]))
        if len(duplicates):
            first = np.flatnonzero((splits == other) & (groups == groups[duplicates[0]]))[0]
            example = _name(data, int(rows[duplicates[0]])), _name(data, int(rows[first]))
            found.append(Duplicates(split=name, other=other, count=len(duplicates), example=example))
    return tuple(found)


def _name(data: FaceDataset, row: int) -> str:
    return f"row {row}" if data.filenames is None else str(data.filenames[row])
