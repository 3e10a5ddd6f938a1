# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Folds by subject for cross-validation, and sequences of frames."""

import re
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.images import Images

_FRAME = re.compile(r"(?P<sequence>.+)_(?P<number>\d+)\.\w+")  # S010_004_00000017.png


@dataclass(frozen=True, eq=False)
class FaceSequence:
    """The frames of an expression.

    Attributes:
        frames: uint8 (T, H, W) or (T, H, W, 3), the peak last; memory-mapped if the dataset is.
        label: of the peak.
        subject: person who shows it.
        name: of the sequence, e.g. S010_004.
    """

    frames: Images
    label: str
    subject: str
    name: str


def subject_folds(data: FaceDataset, num_folds: int, seed: int) -> list[NDArray[np.int64]]:
    """Divides the rows of a dataset into stratified folds; no subject is in two folds.

    Args:
        data: the dataset; without subjects, each image is a subject of its own.
        num_folds: number of folds, at least 2.
        seed: of the order in which subjects are drawn.

    Returns:
        The rows of each fold, in ascending order; each row is in exactly one fold.

    Raises:
        DatasetError: there are too few subjects, or too few images of every class.
    """
    # takes two seconds, and most commands do not need it
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    whole = len(data) if data.subjects is None else len(np.unique(data.subjects))
    if not 2 <= num_folds <= whole:
        raise DatasetError(f"{num_folds} folds of {whole} {'images' if data.subjects is None else 'subjects'}")
    kind = StratifiedKFold if data.subjects is None else StratifiedGroupKFold
    splitter = kind(num_folds, shuffle=True, random_state=seed)
    rows = np.zeros((len(data), 1))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # its images are in only some of the folds
        try:
            return [np.asarray(fold, np.int64) for _, fold in splitter.split(rows, data.labels, data.subjects)]
        except ValueError:
            raise DatasetError(f"{num_folds} folds, but no class has as many images") from None


def sequences(data: FaceDataset) -> list[FaceSequence]:
    """Groups the frames of a dataset into sequences, for networks that use the course of an expression.

    For the official tree of CK+, `load_dataset(path, percent=100)` returns these sequences.

    Raises:
        DatasetError: the dataset has no subjects, or file names that do not end in the number of the frame.
    """
    if data.filenames is None or data.subjects is None:
        raise DatasetError("sequences need the file name and the subject of each frame")
    rows: dict[str, list[tuple[int, int]]] = {}
    for row, name in enumerate(data.filenames.tolist()):
        if (match := _FRAME.fullmatch(name)) is None:
            raise DatasetError(f"{name} does not end in the number of a frame")
        rows.setdefault(match["sequence"], []).append((int(match["number"]), row))
    found = []
    for name, numbered in rows.items():
        order = np.array([row for _, row in sorted(numbered)], np.int64)
        label = data.class_names[data.labels[order[-1]]]
        found.append(FaceSequence(data.images[order], label, str(data.subjects[order[-1]]), name))
    return found
