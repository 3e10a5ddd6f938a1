# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the faces of IMDB and Wikipedia: images, and a MATLAB file with their labels.

Rothe et al. 2015, "DEX: Deep EXpectation of apparent age from a single image". The file is a struct of arrays with an
entry for each image: `full_path` below the folder of the file, `gender` (0 woman, 1 man, NaN unknown), `face_score`
(-inf if no face was found), `second_face_score` (NaN if there was only one face), `celeb_id` or `name`.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from emotion_perception.core.errors import DatasetError, one_line
from emotion_perception.core.paths import find_below
from emotion_perception.training.archives import check_mat
from emotion_perception.training.datasets.cache import FileListing, fingerprint, mapped_dataset
from emotion_perception.training.datasets.decode import read_image, size_wh
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.problems import ProblemLog

FILES = ("imdb.mat", "wiki.mat")
_GENDERS = ("woman", "man")
_SIDE = 64  # pixels


def load_imdb(
    path: Path,
    *,
    size: int | Sequence[int] = _SIDE,
    color: bool = False,
    min_face_score: float = -math.inf,
    second_faces: bool = True,
    cache: str = "",
    workers: int = 0,
) -> FaceDataset:
    """Reads the images with the labels woman and man.

    Images of unknown gender and without a face are left out by design; missing and corrupt images are faults.

    Args:
        path: the .mat file, or its folder.
        size: side, or [width, height], in pixels.
        color: BGR instead of gray.
        min_face_score: images with this face score or a lower one are left out; by default those without a face.
        second_faces: keep images with a second face.
        cache: folder of the decoded images, see `cache`.
        workers: number of decoding threads; 0 takes one per core, at most eight.

    Raises:
        ConfigurationError: `size` is out of range.
        DatasetError: the .mat file is damaged or lacks a column.
    """
    file = path if path.is_file() else next(found for name in FILES if (found := find_below(path, name)))
    wh = size_wh(size)
    key = [fingerprint([file]), wh, color, min_face_score, second_faces]

    def listing() -> FileListing:
        entries = _read(file)
        rows, problems = _usable(entries, min_face_score, second_faces)
        names = [str(name) for name in entries["full_path"][rows]]
        return FileListing(
            names=names,
            labels=entries["gender"][rows].astype(int).tolist(),
            class_names=_GENDERS,
            shape=(wh[1], wh[0], 3) if color else (wh[1], wh[0]),
            read=lambda k: read_image(file.parent / names[k], wh=wh, color=color),
            subjects=_people(entries, rows),
            problems=problems.problems(),
        )

    return mapped_dataset(listing, name=file.stem, key=key, cache=cache, workers=workers, root=file.parent)


def _read(file: Path) -> dict[str, NDArray[Any]]:
    """Returns the columns of the struct, arrays with an entry for each image."""
    try:
        check_mat(file)
        content = loadmat(file, squeeze_me=True, variable_names=[file.stem])
        struct = content[file.stem]
        columns = {name: np.atleast_1d(struct[name].item()) for name in struct.dtype.names or ()}
    except KeyError:
        raise DatasetError(f"{file.name} has no struct '{file.stem}'") from None
    except (OSError, ValueError, TypeError, IndexError, NotImplementedError, MatReadError) as e:
        raise DatasetError(f"{file.name} is not a MATLAB file of version 5 ({one_line(e)})") from e
    if missing := {"full_path", "gender", "face_score"} - columns.keys():
        raise DatasetError(f"{file.name} lacks {', '.join(sorted(missing))}")
    for name in ("full_path", "gender", "face_score", "second_face_score", "celeb_id", "name"):
        if name in columns and columns[name].shape != columns["full_path"].shape[:1]:
            raise DatasetError(
                f"{file.name}: {name} has the shape {columns[name].shape} for {len(columns['full_path'])} images"
            )
    for name in ("gender", "face_score", "second_face_score"):
        if name in columns and not np.issubdtype(columns[name].dtype, np.number):
            raise DatasetError(f"{file.name}: {name} contains no numbers")
    return columns


def _usable(
    entries: dict[str, NDArray[Any]], min_face_score: float, second_faces: bool
) -> tuple[NDArray[np.intp], ProblemLog]:
    """Returns the rows to decode, and the first reason why each of the others is left out."""
    gender, score = entries["gender"].astype(float), entries["face_score"].astype(float)
    reasons = {
        "unknown gender": (np.isnan(gender), False),
        "wrong label": (~np.isin(gender, (0, 1)), True),
        "no face": (~(score > -math.inf), False),
        f"face score not above {min_face_score:g}": (~(score > min_face_score), False),
    }
    if not second_faces and "second_face_score" in entries:
        reasons["second face"] = ~np.isnan(entries["second_face_score"].astype(float)), False
    keep, log = np.ones(len(gender), bool), ProblemLog()
    for reason, (bad, is_fault) in reasons.items():
        for row in np.flatnonzero(keep & bad):
            log.add(reason, str(entries["full_path"][row]), is_fault=is_fault)
        keep &= ~bad
    return np.flatnonzero(keep), log


def _people(entries: dict[str, NDArray[Any]], rows: NDArray[np.intp]) -> list[str] | None:
    """Returns the person in each image; None if the file does not name them."""
    who = entries.get("celeb_id", entries.get("name"))
    return None if who is None else [str(name) for name in who[rows]]
