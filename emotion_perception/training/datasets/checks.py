# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Looks through a data set before anything is learnt from it: what is in it, and what is wrong with it."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.training.datasets.face_dataset import MIN_DEVIATION, FaceDataset
from emotion_perception.training.datasets.images import deviations, digests
from emotion_perception.training.datasets.problems import Problem

_ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Images of one split that also stand, pixel for pixel, in another.

    Attributes:
        split: name of the one.
        other: name of the other.
        count: images of `split` that have a twin in `other`.
        example: one of them and its twin, by file name or row.
    """

    split: str
    other: str
    count: int
    example: tuple[str, str]

    def __str__(self) -> str:
        return f"{self.count} images of {self.split} stand in {self.other} too (e.g. {' = '.join(self.example)})"


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What is in a data set.

    Attributes:
        counts: split -> class -> number of images; the split is `all` where the data has none.
        subjects: number of people or groups; 0 where they are not known.
        blank: images of zero variance, which are not learnt from.
        rejected: images in which the taggers saw no face, not learnt from.
        leaked: images that also stand in a later split, not learnt from.
        duplicates: between splits.
        repeated: images that stand more than once, wherever.
        contradictory: of those, the ones that have different labels.
        problems: what the loader left out.
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
        """Returns the report for people, a fact a line; what is not there is not said."""
        lines = []
        for split, counts in self.counts.items():
            classes = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
            lines.append(f"{split}: {sum(counts.values())} images ({classes})")
            if absent := [name for name, count in counts.items() if not count]:
                lines.append(f"{split}: no image of {', '.join(absent)}")
        told = {
            "subjects": self.subjects,
            "blank images, not learnt from": self.blank,
            "images in which no tagger saw a face, not learnt from": self.rejected,
            "images that also stand in a later split, not learnt from": self.leaked,
            "images that stand more than once": self.repeated,
            "images that stand more than once with different labels": self.contradictory,
        }
        lines += [f"{count} {what}" for what, count in told.items() if count]
        return lines + [str(twins) for twins in self.duplicates] + [f"left out: {entry}" for entry in self.problems]


def examine(data: FaceDataset) -> DataReport:
    """Counts classes, blanks, leaks and duplicates; reads every image once or twice, a few at a time."""
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
        rejected=_true(data.rejected),
        leaked=_true(data.leak),
        duplicates=_between(data, names, splits[rows], rows, groups),
        repeated=int((sizes[groups] > 1).sum()),
        contradictory=int(mixed[groups].sum()),
        problems=data.problems,
    )


def _counts(data: FaceDataset, rows: NDArray[np.bool_]) -> dict[str, int]:
    counts = np.bincount(data.labels[rows], minlength=len(data.class_names)).tolist()
    return dict(zip(data.class_names, counts, strict=True))


def _true(flags: NDArray[np.bool_] | None) -> int:
    return 0 if flags is None else int(flags.sum())


def _between(
    data: FaceDataset, names: list[str], splits: NDArray[np.str_], rows: NDArray[np.intp], groups: NDArray[np.intp]
) -> tuple[Duplicates, ...]:
    """Returns the twins of each pair of splits; `splits`, `rows` and `groups` of twins are of the same images."""
    found = []
    for name, other in itertools.combinations(names, 2):
        twins = np.flatnonzero((splits == name) & np.isin(groups, groups[splits == other]))
        if len(twins):
            twin = np.flatnonzero((splits == other) & (groups == groups[twins[0]]))[0]
            example = _name(data, int(rows[twins[0]])), _name(data, int(rows[twin]))
            found.append(Duplicates(split=name, other=other, count=len(twins), example=example))
    return tuple(found)


def _name(data: FaceDataset, row: int) -> str:
    return f"row {row}" if data.filenames is None else str(data.filenames[row])
