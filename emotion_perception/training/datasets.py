"""Reads data sets of face crops into one typed form.

Two file formats are accepted, told apart by their ending:

* `.npz` as described in docs/data.md: `images`, `labels` into `class_names`, optionally `split` into `split_names`,
  `leak`, `ferplus_votes` into `ferplus_names`, `ferplus_dropped`;
* the official `fer2013.csv` with the columns `emotion`, `pixels` and `Usage`, in any order. It does not say which
  pictures leaked from a test split, so they are found here, by identity of their pixels.
"""

import csv
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.emotions import LABELS, canonical_label
from emotion_perception.core.errors import DatasetError, one_line

_CSV_SIDE = 48  # pixels
_CSV_SPLITS = ("Training", "PublicTest", "PrivateTest")  # each is leaked into by the later ones
_MIN_DEVIATION = 1.0  # gray levels; below it a picture is blank


@dataclass(frozen=True, eq=False)
class FaceDataset:
    """Pictures of faces and what people said about them.

    Attributes:
        images: uint8, (N, H, W) gray or (N, H, W, 3) BGR.
        labels: int64 (N), numbers into `class_names`.
        class_names: canonical label of each class.
        splits: name of each picture's split (N), or None where the file has none.
        leak: bool (N), True where the picture also stands in a split that is meant for testing.
        votes: float32 (N, V) share of taggers that chose each of `vote_names`; rows may be all zero.
        vote_names: canonical label (or `unknown`, `nf`) of each column of `votes`.
        rejected: bool (N), True where the taggers saw no face.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    splits: NDArray[np.str_] | None = None
    leak: NDArray[np.bool_] | None = None
    votes: NDArray[np.float32] | None = None
    vote_names: tuple[str, ...] = ()
    rejected: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        count = len(self.images)
        if self.images.dtype != np.uint8 or self.images.ndim not in (3, 4):
            raise DatasetError(f"images are {self.images.dtype} {self.images.shape}, not uint8 (N, H, W[, 3])")
        if (self.images.ndim == 4 and self.images.shape[3] != 3) or 0 in self.images.shape[1:]:
            raise DatasetError(f"images of shape {self.images.shape} are neither gray nor colour")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray) and (value.ndim == 0 or len(value) != count):
                raise DatasetError(f"{field.name} has the shape {value.shape} for {count} images")
        if count and not 0 <= self.labels.min() <= self.labels.max() < len(self.class_names):
            raise DatasetError(f"labels reach {self.labels.max()}, but there are {len(self.class_names)} class names")

    def __len__(self) -> int:
        return len(self.images)

    def select(self, keep: NDArray[np.bool_]) -> "FaceDataset":
        """Returns the rows for which `keep`, bool (N), is True."""
        arrays: dict[str, Any] = {
            field.name: value[keep]
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), np.ndarray)
        }
        return replace(self, **arrays)

    def split(self, name: str | None) -> "FaceDataset":
        """Returns the pictures of one split.

        Raises:
            DatasetError: the file has splits and none was named, or it has no split of that name.
        """
        if self.splits is None:
            if name is not None:
                raise DatasetError(f"no split '{name}': the file has no splits")
            return self
        names = sorted(set(self.splits.tolist()))
        if name is None:
            raise DatasetError(f"the file has the splits {', '.join(names)}: name one with --split")
        if name not in names:
            raise DatasetError(f"no split '{name}'; the file has {', '.join(names)}")
        return self.select(self.splits == name)

    def labels_in(self, order: Sequence[str]) -> NDArray[np.int64]:
        """Returns the labels as numbers into another label order, mapped by name.

        Raises:
            DatasetError: a picture has a label that is not in `order`.
        """
        table = np.array([order.index(name) if name in order else -1 for name in self.class_names], np.int64)
        numbers = table[self.labels]
        if (numbers < 0).any():
            strangers = sorted({self.class_names[k] for k in set(self.labels[numbers < 0].tolist())})
            raise DatasetError(f"the model has no label for {', '.join(strangers)}; leave out with --ignore-classes")
        return numbers

    def without_classes(self, names: Iterable[str]) -> "FaceDataset":
        """Returns the pictures whose label is none of `names` (any spelling)."""
        unwanted = {canonical_label(name) for name in names}
        if missing := unwanted - set(self.class_names):
            raise DatasetError(f"no class {', '.join(sorted(missing))}; the file has {', '.join(self.class_names)}")
        return self.select(np.array([self.class_names[k] not in unwanted for k in self.labels], bool))

    def fit_for_training(self) -> "FaceDataset":
        """Returns the rows to learn from: not blank, not rejected as no face, not leaked from a test split."""
        keep = self.images.reshape(len(self), -1).std(axis=1) >= _MIN_DEVIATION
        for unwanted in (self.leak, self.rejected):
            if unwanted is not None:
                keep &= ~unwanted
        return self.select(keep)


def load_dataset(path: Path | str) -> FaceDataset:
    """Reads a data file.

    Raises:
        DatasetError: the file is missing, cut short or not in one of the two formats; the message says what is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    try:
        data = _load_csv(path) if path.suffix.lower() == ".csv" else _load_npz(path)
    except DatasetError as e:
        raise DatasetError(f"{path}: {e}") from None
    if not len(data):
        raise DatasetError(f"{path}: holds no pictures")
    return data


def _load_npz(path: Path) -> FaceDataset:
    try:
        with zipfile.ZipFile(path):  # np.load would take a bare .npy, too
            pass
        with np.load(path, allow_pickle=False) as file:
            data = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as e:
        raise DatasetError(f"not a readable .npz file ({one_line(e)})") from e
    if missing := {"images", "labels", "class_names"} - data.keys():
        raise DatasetError(f"lacks {', '.join(sorted(missing))}")
    votes, images = data.get("ferplus_votes"), data["images"]
    return FaceDataset(
        images=np.ascontiguousarray(images[..., ::-1]) if images.ndim == 4 else images,  # RGB -> BGR, as OpenCV has it
        labels=_numbers(data["labels"], "labels"),
        class_names=tuple(canonical_label(str(name)) for name in data["class_names"]),
        splits=_named(data, "split", "split_names"),
        leak=_flags(data, "leak"),
        votes=None if votes is None else _shares(votes),
        vote_names=tuple(str(name).lower() for name in data.get("ferplus_names", ())),
        rejected=_flags(data, "ferplus_dropped"),
    )


def _numbers(values: NDArray[np.generic], name: str) -> NDArray[np.int64]:
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
        raise DatasetError(f"{name} are {values.dtype} {values.shape}, not whole numbers (N)")
    return values.astype(np.int64)


def _named(data: dict[str, NDArray[np.generic]], key: str, names_key: str) -> NDArray[np.str_] | None:
    if key not in data:
        return None
    if names_key not in data:
        raise DatasetError(f"has {key} but no {names_key}")
    numbers, names = _numbers(data[key], key), data[names_key].astype(str)
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(names):
        raise DatasetError(f"{key} reaches {numbers.max()}, but there are {len(names)} {names_key}")
    return names[numbers]


def _flags(data: dict[str, NDArray[np.generic]], key: str) -> NDArray[np.bool_] | None:
    return data[key].astype(bool) if key in data else None


def _shares(votes: NDArray[np.generic]) -> NDArray[np.float32]:
    if votes.ndim != 2:
        raise DatasetError(f"ferplus_votes have the shape {votes.shape}, not (N, V)")
    counts = votes.astype(np.float32)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _load_csv(path: Path) -> FaceDataset:
    images, labels, splits = [], [], []
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        try:
            columns = {name.strip().lower(): name for name in reader.fieldnames or ()}
            if missing := {"emotion", "pixels"} - columns.keys():
                raise DatasetError(f"lacks the column {', '.join(sorted(missing))}")
            for row in reader:
                images.append(_parse_pixels(row[columns["pixels"]], reader.line_num))
                labels.append(_parse_label(row[columns["emotion"]], reader.line_num))
                splits.append((row[columns["usage"]] or "").strip() if "usage" in columns else "")
        except csv.Error as e:
            raise DatasetError(f"line {reader.line_num}: not CSV ({e})") from e
    pictures = np.array(images, np.uint8).reshape(-1, _CSV_SIDE, _CSV_SIDE)
    return FaceDataset(
        images=pictures,
        labels=np.array(labels, np.int64),
        class_names=LABELS,
        splits=np.array(splits, str) if "usage" in columns else None,
        leak=find_leaks(pictures, splits, _CSV_SPLITS) if "usage" in columns else None,
    )


def find_leaks(images: NDArray[np.uint8], splits: Sequence[str], order: Sequence[str]) -> NDArray[np.bool_]:
    """Returns bool (N): True where a picture also stands, pixel for pixel, in a later split of `order`."""
    rank = {name: place for place, name in enumerate(order)}
    ranks = [rank.get(name, -1) for name in splits]
    keys = [image.tobytes() for image in images]
    latest: dict[bytes, int] = {}
    for key, place in zip(keys, ranks, strict=True):
        latest[key] = max(place, latest.get(key, -1))
    return np.array([0 <= place < latest[key] for key, place in zip(keys, ranks, strict=True)], bool)


def _parse_pixels(text: str | None, line: int) -> NDArray[np.uint8]:
    try:
        values = np.array((text or "").split(), dtype=np.int64)
    except ValueError:
        raise DatasetError(f"line {line}: pixels are not whole numbers") from None
    if values.size != _CSV_SIDE**2:
        raise DatasetError(f"line {line}: {values.size} pixels instead of {_CSV_SIDE**2}")
    if values.min() < 0 or values.max() > 255:
        raise DatasetError(f"line {line}: a pixel is not within 0..255")
    return values.astype(np.uint8)


def _parse_label(text: str | None, line: int) -> int:
    if text is None or not text.strip().isdecimal() or int(text) >= len(LABELS):
        raise DatasetError(f"line {line}: emotion '{text}' is not within 0..{len(LABELS) - 1}")
    return int(text)
