# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the two .npz formats of docs/data.md: arrays of images, and JPEG chips with the gender of each person."""

import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import canonical_label, label_index
from emotion_perception.core.errors import ConfigurationError, DatasetError, clipped, one_line
from emotion_perception.core.printable import AS_WINDOWS_1252, printable
from emotion_perception.training.archives import check_archive
from emotion_perception.training.datasets.cache import FileListing, fingerprint, mapped_dataset
from emotion_perception.training.datasets.decode import read_image, size_wh
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.problems import Problem, problems_of

_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    RuntimeError,  # encrypted, or unpacked by something that this Python lacks
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    MemoryError,
)
_TASKS = ("gender", "face")
_NAMES = {  # of the arrays; others are not read
    *("images", "labels", "class_names", "split", "split_names", "leak", "subject", "filename"),
    *("ferplus_votes", "ferplus_names", "ferplus_dropped", "jpeg", "offset", "gender", "gender_names", "age", "group"),
}
_UNKNOWN_SUBJECT = ("", "nan", "none")
_SIDE = 64  # pixels of UTKFace's chips
MOST_VOTES = 1_000_000  # for one name of an image
_LARGEST = 1 << 53  # a float of this size has no fraction
Arrays = dict[str, NDArray[Any]]


def has_chips(path: Path) -> bool:
    """Returns whether an .npz file contains JPEG bytes instead of pixels."""
    try:
        with zipfile.ZipFile(path) as file:
            return "jpeg.npy" in file.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def load_npz(path: Path) -> FaceDataset:
    """Reads arrays of images into memory; rows whose label or split has no name are left out.

    Raises:
        DatasetError: the file is damaged, or an array is missing or has another shape or type.
    """
    data = _arrays(path)
    if missing := {"images", "labels", "class_names"} - data.keys():
        raise DatasetError(f"lacks {', '.join(sorted(missing))}")
    votes, images = data.get("ferplus_votes"), data["images"]
    _check_names(data, "class_names", "split_names", "ferplus_names")
    for key in ("leak", "ferplus_dropped", "subject", "filename"):
        if key in data and images.ndim and data[key].shape != images.shape[:1]:
            raise DatasetError(f"{key} has the shape {data[key].shape} for {len(images)} images")
    for key in ("leak", "ferplus_dropped"):
        if key in data and not np.isin(data[key], (0, 1)).all():
            raise DatasetError(f"{key} is {data[key].dtype}, not bool")
    if votes is not None and votes.shape[1:] != data.get("ferplus_names", np.zeros(0)).shape:
        raise DatasetError(f"ferplus_votes have the shape {votes.shape} for {len(data.get('ferplus_names', ()))} names")
    class_names = tuple(canonical_label(str(name)) for name in data["class_names"])
    labels, bad_labels = _indices(data["labels"], "labels", class_names, canonical=True)
    splits, bad_splits = _splits(data)
    dataset = FaceDataset(
        images=np.ascontiguousarray(images[..., ::-1]) if images.ndim == 4 else images,  # RGB -> BGR, as OpenCV has it
        labels=labels,
        class_names=class_names,
        splits=splits,
        leak=_flags(data, "leak"),
        votes=None if votes is None else vote_shares(votes),
        vote_names=tuple(vote_name(str(name)) for name in data.get("ferplus_names", ())),
        rejected=_flags(data, "ferplus_dropped"),
        subjects=_subjects(data),
        filenames=_texts(data, "filename"),
    )
    bad = bad_labels | bad_splits
    if not bad.any():
        return dataset
    split, split_names = data.get("split", np.zeros(0)), data.get("split_names", ())
    problems = (
        *_outside("labels", "class names", data["labels"], bad_labels, len(class_names)),
        *_outside("split", "split_names", split, bad_splits & ~bad_labels, len(split_names)),
    )
    return replace(dataset.select(~bad), problems=problems)


def load_chips(
    path: Path,
    *,
    task: str = "gender",
    min_age: int = 0,
    size: int | Sequence[int] = _SIDE,
    color: bool = False,
    cache: str = "",
    workers: int = 0,
) -> FaceDataset:
    """Reads the format of UTKFace: `jpeg` bytes, `offset`, `gender`, optional `gender_names`, `age`, `split`, `group`.

    Args:
        path: the file.
        task: labels: `gender` (woman, man), or `face` for all images.
        min_age: years; younger people are left out.
        size: side, or [width, height], of the images in pixels.
        color: BGR instead of gray.
        cache: folder of the decoded images, see `cache`.
        workers: number of decoding threads; 0 takes one per core, at most eight.

    Raises:
        ConfigurationError: `task` is unknown, or `size` is out of range.
        DatasetError: the file is damaged, or an array is missing or has another shape or type.
    """
    if task not in _TASKS:
        raise ConfigurationError(f"task '{task}' is none of {', '.join(_TASKS)}")
    wh = size_wh(size)
    key = [fingerprint([path]), task, min_age, wh, color]

    def listing() -> FileListing:
        return _list_chips(_arrays(path), task, min_age, wh, color)

    return mapped_dataset(listing, name=path.stem, key=key, cache=cache, workers=workers)


def _check_names(data: Arrays, *keys: str) -> None:
    """Raises DatasetError if an array of names has more or fewer axes than one."""
    for key in keys:
        if key in data and data[key].ndim != 1:
            raise DatasetError(f"{key} has the shape {data[key].shape}, not (N)")


def _list_chips(data: Arrays, task: str, min_age: int, wh: tuple[int, int], color: bool) -> FileListing:
    if missing := {"jpeg", "offset", "gender"} - data.keys():
        raise DatasetError(f"lacks {', '.join(sorted(missing))}")
    if data["jpeg"].dtype != np.uint8 or data["jpeg"].ndim != 1:
        raise DatasetError(f"jpeg is {data['jpeg'].dtype} {data['jpeg'].shape}, not uint8 (bytes)")
    _check_names(data, "gender_names", "split_names")
    offset = _numbers(data["offset"], "offset")
    columns = {name: data[name] for name in ("gender", "age", "split", "group", "filename") if name in data}
    for name, values in columns.items():
        if values.shape != (len(offset) - 1,):
            raise DatasetError(f"{name} has the shape {values.shape} for {len(offset) - 1} images")
    if "age" in columns and columns["age"].dtype.kind not in "iuf":
        raise DatasetError(f"age is {columns['age'].dtype}, not numbers")
    if min_age and "age" not in columns:
        raise DatasetError(f"min_age {min_age} needs the array age")
    if len(offset) < 1 or (np.diff(offset) < 0).any() or offset[0] < 0 or offset[-1] > len(data["jpeg"]):
        raise DatasetError(f"offset does not ascend within 0..{len(data['jpeg'])}, the bytes of jpeg")
    genders = tuple(canonical_label(str(name)) for name in data.get("gender_names", ("woman", "man")))
    numbers, unknown = _indices(data["gender"], "gender", genders, canonical=True)
    splits, without_split = _splits(data)
    young = ~(columns["age"] >= min_age) if min_age else np.zeros(len(numbers), bool)  # an unknown age is NaN
    rows = np.flatnonzero(~(unknown | without_split | young))
    names = columns["filename"].astype(str) if "filename" in columns else np.arange(len(numbers)).astype(str)
    too_young = names[young & ~unknown & ~without_split].tolist()
    problems = (
        *problems_of("wrong label", names[unknown].tolist()),
        *problems_of("missing split", names[without_split & ~unknown].tolist()),
        *problems_of(f"person below {min_age} years", too_young, is_fault=False),
    )
    return FileListing(
        names=names[rows].tolist(),
        labels=numbers[rows].tolist() if task == "gender" else [0] * len(rows),
        class_names=genders if task == "gender" else ("face",),
        shape=(wh[1], wh[0], 3) if color else (wh[1], wh[0]),
        read=_chip_reader(data["jpeg"], offset, rows, wh, color),
        splits=None if splits is None else splits[rows].tolist(),
        split_order=tuple(data.get("split_names", np.array([], str)).tolist()),
        subjects=columns["group"][rows].astype(str).tolist() if "group" in columns else None,
        problems=problems,
    )


def _chip_reader(
    jpeg: NDArray[np.uint8], offset: NDArray[np.int64], rows: NDArray[np.intp], wh: tuple[int, int], color: bool
) -> Callable[[int], NDArray[np.uint8]]:
    def read(k: int) -> NDArray[np.uint8]:
        return read_image(jpeg[offset[rows[k]] : offset[rows[k] + 1]].tobytes(), wh=wh, color=color)

    return read


def vote_shares(votes: NDArray[np.generic]) -> NDArray[np.float32]:
    """Returns the fraction of the taggers that chose each name, float32 (N, V), from their counts (N, V)."""
    if votes.ndim != 2:
        raise DatasetError(f"ferplus_votes have the shape {votes.shape}, not (N, V)")
    counts = votes.astype(np.float64) if votes.dtype.kind in "biuf" else np.full(votes.shape, np.nan)
    if not ((counts >= 0) & (counts <= MOST_VOTES)).all():  # NaN is not
        raise DatasetError(f"ferplus_votes are not counts: some are not within 0..{MOST_VOTES:,}")
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), np.float32)


def vote_name(name: str) -> str:
    """Returns the canonical label of a column of votes; another name, as `unknown` and `nf`, in lower case."""
    try:
        return canonical_label(name)
    except DatasetError:
        return name.lower()


def _arrays(path: Path) -> Arrays:
    if not path.stat().st_size:
        raise DatasetError("not a readable .npz file (it is empty)")
    if not zipfile.is_zipfile(path):  # np.load would also accept a .npy file
        raise DatasetError("not a readable .npz file (another format, or cut short)")
    try:
        check_archive(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: _array(file, name) for name in file.files if name in _NAMES}
    except DatasetError:
        raise
    except _UNREADABLE as e:
        raise DatasetError(f"not a readable .npz file ({clipped(one_line(e))})") from e


def _array(file: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    """Returns an array; bytes become text."""
    try:
        array = file[name]
    except ValueError as e:
        if "Object arrays" in str(e):
            unopened = f"{name} holds Python objects, which are not opened: write it as np.array(..., str)"
            raise DatasetError(unopened) from e
        if "allow_pickle" in str(e):  # the hint of NumPy would run code of the file
            raise DatasetError(f"{name} is not a readable array") from e
        raise
    if not isinstance(array, np.ndarray):
        raise DatasetError(f"{name} is not an array")
    if array.size and not array.dtype.itemsize:  # a few bytes could claim any number of them
        raise DatasetError(f"{name} holds {array.size:,} values of no bytes")
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8", AS_WINDOWS_1252)
    return array


def _numbers(values: NDArray[np.generic], name: str) -> NDArray[np.int64]:
    """Returns whole numbers, which may be stored as floats."""
    whole = values.ndim == 1 and values.dtype.kind in "iuf"
    if whole and values.dtype.kind == "f":  # NaN is not equal to itself
        numbers = values.astype(np.float64)
        whole = bool(((numbers == np.floor(numbers)) & (np.abs(numbers) < _LARGEST)).all())
    if not whole:
        raise DatasetError(f"{name} are {values.dtype} {values.shape}, not whole numbers (N)")
    return values.astype(np.int64)


def _indices(
    values: NDArray[np.generic], key: str, names: Sequence[str], *, canonical: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Returns indices into `names`, and a mask, bool (N), of the values that name none of them.

    Args:
        values: whole numbers, or names.
        key: of the array.
        names: what the values name.
        canonical: names are labels, which may have any usual spelling.
    """
    if values.dtype.kind not in "US":
        numbers = _numbers(values, key)
        outside = (numbers < 0) | (numbers >= len(names))
        return np.clip(numbers, 0, max(len(names) - 1, 0)), outside
    if values.ndim != 1:
        raise DatasetError(f"{key} has the shape {values.shape}, not (N)")
    written, places = np.unique(values.astype(str), return_inverse=True)
    found = np.array([_place(name, names, canonical) for name in written.tolist()], np.int64)[places]
    return np.maximum(found, 0), found < 0


def _place(name: str, names: Sequence[str], canonical: bool) -> int:
    """Returns the index of a name, -1 if it is not among the names."""
    try:
        return label_index(name, names) if canonical else names.index(name)
    except (DatasetError, ValueError):
        return -1


def _splits(data: Arrays) -> tuple[NDArray[np.str_] | None, NDArray[np.bool_]]:
    """Returns the name of the split of each row, and a mask, bool (N), of the rows whose number has no name."""
    if "split" not in data:
        return None, np.zeros(1, bool)
    if "split_names" not in data:
        raise DatasetError("has split but no split_names")
    names = data["split_names"].astype(str)
    numbers, outside = _indices(data["split"], "split", names.tolist())
    return names[numbers] if len(names) else numbers.astype(str), outside


def _outside(key: str, names: str, values: NDArray[Any], bad: NDArray[np.bool_], count: int) -> tuple[Problem, ...]:
    """Returns the problem of rows whose value is not one of the names."""
    rows = [f"row {row} has {printable(str(values[row]))}" for row in np.flatnonzero(bad)]
    known = f"within 0..{count - 1}, the {names}" if count else f"one of the {names}, of which there are none"
    return problems_of(f"wrong {key}: not {known}", rows)


def _flags(data: Arrays, key: str) -> NDArray[np.bool_] | None:
    return data[key].astype(bool) if key in data else None


def _subjects(data: Arrays) -> NDArray[np.str_] | None:
    """Returns the subject of each image; where it is not known, the image is one of its own."""
    subjects = _texts(data, "subject")
    if subjects is None:
        return None
    unknown = np.isin(np.char.lower(np.char.strip(subjects)), _UNKNOWN_SUBJECT)
    return np.where(unknown, np.char.add("unknown person of image ", np.arange(len(subjects)).astype(str)), subjects)


def _texts(data: Arrays, key: str) -> NDArray[np.str_] | None:
    return data[key].astype(str) if key in data else None
