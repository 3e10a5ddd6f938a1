# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The cache of decoded images: each is decoded once, written to a file of raw bytes, and mapped from there.

A data set has a folder `<name>-<key>` with

* `images.u8`: all listed images one after the other; one that cannot be used is a hole that takes no disk,
* `rows.npz`: labels and whatever else belongs to an image, written last: with it the cache is complete,
* `progress.json`: until then, how many are done. A run that was stopped goes on there.

The key is a hash of the source (paths, sizes, times) and of the options; any change makes another folder. The folders
may be deleted at any time. Several processes may ask for the same one: the first makes it, the others wait.
"""

import hashlib
import json
import math
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from tqdm import tqdm

from emotion_perception.core.errors import DatasetError, ImageError, one_line
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.images import MappedImages, find_leaks
from emotion_perception.training.datasets.problems import Problem, ProblemLog

_FORMAT = 1  # part of every key
_PICTURES, _ROWS, _PROGRESS = "pictures.u8", "rows.npz", "progress.json"
_CHUNK = 512  # images between two notes of the progress


@dataclass(frozen=True, kw_only=True, eq=False)
class FileListing:
    """What a loader knows before an image is decoded.

    Attributes:
        names: of the images (N).
        labels: of each (N), numbers into `class_names`.
        class_names: canonical labels.
        shape: of every decoded image, (H, W) or (H, W, 3).
        read: returns image k; raises ImageError whose text is the reason why it is left out.
        splits: of each image (N), or None.
        split_order: names of the splits, each leaked into by the later ones.
        subjects: of each image (N), or None.
        problems: what was left out so far.
    """

    names: list[str]
    labels: list[int]
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    read: Callable[[int], NDArray[np.uint8]]
    splits: list[str] | None = None
    split_order: tuple[str, ...] = ()
    subjects: list[str] | None = None
    problems: tuple[Problem, ...] = ()


def default_folder() -> Path:
    """Returns where caches lie unless the option `cache` says otherwise."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()) / "emotion_perception" / "pictures"


def fingerprint(paths: Iterable[Path]) -> str:
    """Returns a hash of the names, sizes and times of files, without reading them.

    Raises:
        DatasetError: one of them cannot be looked at.
    """
    found = hashlib.sha256()
    try:
        for path in paths:
            status = path.stat()
            found.update(f"{path.absolute()}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(errors="replace"))
    except OSError as e:
        raise DatasetError(f"{e.filename}: {e.strerror}") from e
    return found.hexdigest()


def mapped_dataset(
    listing: Callable[[], FileListing], *, name: str, key: Any, cache: str = "", workers: int = 0
) -> FaceDataset:
    """Returns a data set from the cache; decodes it into the cache first where it is not there yet.

    Args:
        listing: lists the images; called only where they have to be decoded.
        name: begins the folder's name.
        key: plain values that say which source and which options the images come from.
        cache: folder of the caches; empty takes `default_folder`.
        workers: threads that decode; 0 takes one a core, at most eight.

    Raises:
        DatasetError: the cache cannot be written, or what `listing` raises.
    """
    text = json.dumps([_FORMAT, key], sort_keys=True, default=str)
    parent = Path(cache).expanduser() if cache else default_folder()
    folder = parent / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(parent / f"{folder.name}.lock"):
            if (data := _complete(folder)) is None:
                _build(folder, listing(), workers or min(8, os.cpu_count() or 1))
                data = _complete(folder)
    except OSError as e:
        raise DatasetError(f"cache {folder}: {e.strerror or one_line(e)}") from e
    if data is None:
        raise DatasetError(f"cache {folder}: what was written cannot be read back")
    return data


def _complete(folder: Path) -> FaceDataset | None:
    """Returns the data set of a folder; None where it is not finished, or damaged."""
    try:
        with np.load(folder / _ROWS, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
        shape = tuple(stored.pop("shape").tolist())
        if (folder / _PICTURES).stat().st_size != math.prod(shape):
            return None
        problems = json.loads(str(stored.pop("problems")))
        return FaceDataset(
            images=MappedImages(folder / _PICTURES, shape, stored.pop("rows")),
            class_names=tuple(stored.pop("class_names").tolist()),
            problems=tuple(Problem(**{**entry, "examples": tuple(entry["examples"])}) for entry in problems),
            **stored,
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _build(folder: Path, listing: FileListing, workers: int) -> None:
    """Decodes every image into the folder, then writes what belongs to them."""
    bad = _decode(folder, listing, workers)
    log = ProblemLog()
    for row, reason in bad.items():
        log.add(reason, listing.names[row])
    rows = np.array([row for row in range(len(listing.names)) if row not in bad], np.int64)
    shape = (len(listing.names), *listing.shape)
    columns: dict[str, NDArray[Any] | None] = {
        "labels": np.array(listing.labels, np.int64),
        "splits": None if listing.splits is None else np.array(listing.splits, str),
        "subjects": None if listing.subjects is None else np.array(listing.subjects, str),
        "filenames": np.array(listing.names, str),
    }
    stored: dict[str, Any] = {name: values[rows] for name, values in columns.items() if values is not None}
    if "splits" in stored:
        images = MappedImages(folder / _PICTURES, shape, rows)
        stored["leak"] = find_leaks(images, stored["splits"], listing.split_order)
    problems = json.dumps([asdict(problem) for problem in (*listing.problems, *log.problems())])
    with open(folder / f"{_ROWS}.part", "wb") as file:
        np.savez(file, shape=shape, rows=rows, class_names=listing.class_names, problems=problems, **stored)
    os.replace(folder / f"{_ROWS}.part", folder / _ROWS)
    (folder / _PROGRESS).unlink(missing_ok=True)


def _decode(folder: Path, listing: FileListing, workers: int) -> dict[int, str]:
    """Decodes the images that are not there yet; returns why which ones cannot be used."""
    count, size = len(listing.names), math.prod(listing.shape)
    done, bad = _progress(folder, size)
    if (free := shutil.disk_usage(folder).free) < (count - done) * size:
        raise DatasetError(f"cache {folder}: needs {count * size / 1e9:.1f} GB, {free / 1e9:.1f} GB are free")
    bar = tqdm(total=count, initial=done, desc="decoding", unit="picture", disable=None, leave=False)
    with open(folder / _PICTURES, "r+b" if done else "wb") as file, ThreadPoolExecutor(workers) as pool, bar:
        file.truncate(count * size)
        for start in range(done, count, _CHUNK):
            rows = range(start, min(start + _CHUNK, count))
            for row, answer in zip(rows, pool.map(lambda row: _attempt(listing, row), rows), strict=True):
                if isinstance(answer, str):
                    bad[row] = answer
                else:
                    file.seek(row * size)
                    file.write(answer.tobytes())
            file.flush()
            os.fsync(file.fileno())
            _note(folder, rows.stop, bad)
            bar.update(len(rows))
    return bad


def _attempt(listing: FileListing, row: int) -> NDArray[np.uint8] | str:
    """Returns a decoded image, or the reason why there is none."""
    try:
        return listing.read(row)
    except ImageError as e:
        return str(e)


def _progress(folder: Path, size: int) -> tuple[int, dict[int, str]]:
    """Returns how many images of an unfinished cache are done, and the bad ones among them."""
    try:
        noted = json.loads((folder / _PROGRESS).read_text(encoding="utf-8"))
        done, bad = int(noted["done"]), {int(row): str(reason) for row, reason in noted["bad"].items()}
        return (done, bad) if (folder / _PICTURES).stat().st_size >= done * size else (0, {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0, {}


def _note(folder: Path, done: int, bad: dict[int, str]) -> None:
    part = folder / f"{_PROGRESS}.part"
    part.write_text(json.dumps({"done": done, "bad": bad}), encoding="utf-8")
    os.replace(part, folder / _PROGRESS)
