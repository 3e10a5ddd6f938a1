# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The cache of decoded images: each image is decoded once, written to a file of raw bytes, and memory-mapped.

A dataset has a folder `<name>-<key>` with

* `images.u8`: all listed images one after the other; an unusable image is a hole that takes no disk space,
* `rows.npz`: labels and the other columns of the images, written last, when the cache is complete,
* `progress.json`: number of decoded images until then; a stopped run resumes there.

The key is a hash of the source (paths, sizes, times) and of the options, so that any change gives another folder. The
folders can be deleted at any time. If several processes need the same cache, the first builds it and the others wait.
"""

import contextlib
import errno
import hashlib
import json
import math
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from tqdm import tqdm

from emotion_perception.core.atomic_files import atomic_path, write_atomically
from emotion_perception.core.errors import DatasetError, ImageError, one_line
from emotion_perception.core.paths import local_path, user_cache
from emotion_perception.core.regular_files import MAX_TEXT_BYTES, open_regular, read_regular
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.images import MappedImages, find_leaks
from emotion_perception.training.datasets.problems import Problem, ProblemLog

_FORMAT = 2  # part of every key
_IMAGES, _ROWS, _PROGRESS = "images.u8", "rows.npz", "progress.json"
_LONGEST_NAME = 100  # characters
_CHUNK = 512  # images between two writes of progress.json


@dataclass(frozen=True, kw_only=True, eq=False)
class FileListing:
    """The images of a dataset before they are decoded.

    Attributes:
        names: of the images (N).
        labels: index into `class_names` of each image (N).
        class_names: canonical labels.
        shape: of every decoded image, (H, W) or (H, W, 3).
        read: returns the image with an index; raises ImageError with the reason if it cannot be used.
        splits: split of each image (N), or None.
        split_order: names of the splits; an image that is also in a later one has leaked.
        subjects: subject of each image (N), or None.
        problems: what has been left out so far.
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
    """Returns the default folder of the caches.

    Raises:
        ConfigurationError: the home folder is not known.
    """
    return user_cache() / "images"


def fingerprint(paths: Iterable[Path]) -> str:
    """Returns a hash of the names, sizes and times of files, without reading them; of a missing one of its name."""
    found = hashlib.sha256()
    for path in paths:
        text = f"{path.absolute()}\0"
        with contextlib.suppress(OSError, ValueError):  # reading the file will tell what is wrong
            status = path.stat()
            text += f"{status.st_size}\0{status.st_mtime_ns}\0"
        found.update(text.encode(errors="surrogateescape"))
    return found.hexdigest()


def mapped_dataset(
    listing: Callable[[], FileListing],
    *,
    name: str,
    key: Any,
    cache: str = "",
    workers: int = 0,
    root: Path | None = None,
) -> FaceDataset:
    """Returns a dataset from the cache; images that are not in the cache are decoded first.

    Args:
        listing: returns the list of images; called only if they have to be decoded.
        name: first part of the folder's name.
        key: plain values that identify the source and the options.
        cache: folder of the caches; empty takes `default_folder`.
        workers: number of decoding threads; 0 takes one per core, at most eight.
        root: folder of the images where `key` does not identify them: the cache is built again once one that could not
            be read has changed.

    Raises:
        DatasetError: the cache cannot be written, or what `listing` raises.
    """
    text = json.dumps([_FORMAT, key], sort_keys=True, default=str)
    parent = local_path(cache) if cache else default_folder()
    folder = parent / f"{_short(name)}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if (data := _load_complete(folder, root)) is not None:  # also where nothing can be written
        return data
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(parent / f"{folder.name}.lock"):
            if (data := _load_complete(folder, root)) is None:
                _build(folder, listing(), workers or min(8, os.cpu_count() or 1), root)
                data = _load_complete(folder, root)
    except OSError as e:
        raise DatasetError(f"cache {folder}: {e.strerror or one_line(e)}") from e
    if data is None:
        raise DatasetError(f"cache {folder}: the written files cannot be read")
    return data


def _short(name: str) -> str:
    """Returns a name as the first part of that of a cache's folder, which every file system takes."""
    return name.encode("ascii", "replace").decode().replace("?", "_")[:_LONGEST_NAME]


def _load_complete(folder: Path, root: Path | None) -> FaceDataset | None:
    """Returns the dataset of a folder; None if it is incomplete, damaged, or an image that it lacks has changed."""
    try:
        with open_regular(folder / _ROWS) as content, np.load(content, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
        unread, unread_fingerprint = (stored.pop(name, None) for name in ("unread", "unread_fingerprint"))
        if root is not None and (unread is None or _fingerprint_below(root, unread) != str(unread_fingerprint)):
            return None
        shape = tuple(stored.pop("shape").tolist())
        if (folder / _IMAGES).stat().st_size != math.prod(shape):
            return None
        problems = json.loads(str(stored.pop("problems")))
        return FaceDataset(
            images=MappedImages(folder / _IMAGES, shape, stored.pop("rows")),
            class_names=tuple(stored.pop("class_names").tolist()),
            problems=tuple(Problem(**{**entry, "examples": tuple(entry["examples"])}) for entry in problems),
            **stored,
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        return None


def _fingerprint_below(root: Path, names: NDArray[np.str_]) -> str:
    return fingerprint(root / name for name in names.tolist())


def _build(folder: Path, listing: FileListing, workers: int, root: Path | None) -> None:
    """Decodes all images into the folder, then writes their columns."""
    (folder / _ROWS).unlink(missing_ok=True)
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
        images = MappedImages(folder / _IMAGES, shape, rows)
        stored["leak"] = find_leaks(images, stored["splits"], listing.split_order)
    if root is not None:
        unread = np.array([listing.names[row] for row in bad], str)
        stored |= {"unread": unread, "unread_fingerprint": _fingerprint_below(root, unread)}
    problems = json.dumps([asdict(problem) for problem in (*listing.problems, *log.problems())])
    with atomic_path(folder / _ROWS) as part, open(part, "wb") as file:
        np.savez(file, shape=shape, rows=rows, class_names=listing.class_names, problems=problems, **stored)
    (folder / _PROGRESS).unlink(missing_ok=True)


def _decode(folder: Path, listing: FileListing, workers: int) -> dict[int, str]:
    """Decodes the missing images; returns the reason for each row that cannot be used."""
    count, size = len(listing.names), math.prod(listing.shape)
    done, bad = _read_progress(folder, count, size)
    if (free := shutil.disk_usage(folder).free) < (count - done) * size:
        raise DatasetError(f"cache {folder}: needs {count * size / 1e6:,.1f} MB, {free / 1e6:,.1f} MB are free")
    if not done:
        (folder / _IMAGES).unlink(missing_ok=True)  # another process may have mapped it
    bar = tqdm(total=count, initial=done, desc="decoding", unit=" images", disable=None, leave=False)
    with (
        open(folder / _IMAGES, "r+b" if done else "wb", opener=_open_without_following) as file,
        ThreadPoolExecutor(workers) as pool,
        bar,
    ):
        file.truncate(count * size)
        for start in range(done, count, _CHUNK):
            rows = range(start, min(start + _CHUNK, count))
            for row, decoded in zip(rows, pool.map(lambda row: _decode_one(listing, row), rows), strict=True):
                if isinstance(decoded, str):
                    bad[row] = decoded
                else:
                    file.seek(row * size)
                    file.write(decoded.tobytes())
            file.flush()
            os.fsync(file.fileno())
            _write_progress(folder, rows.stop, bad)
            bar.update(len(rows))
    return bad


def _decode_one(listing: FileListing, row: int) -> NDArray[np.uint8] | str:
    """Returns a decoded image, or the reason why it cannot be used."""
    try:
        return listing.read(row)
    except ImageError as e:
        return str(e)


def _read_progress(folder: Path, count: int, size: int) -> tuple[int, dict[int, str]]:
    """Returns the number of decoded images of an incomplete cache of `count`, and the unusable ones among them."""
    try:
        noted = json.loads(read_regular(folder / _PROGRESS, MAX_TEXT_BYTES))
        done, bad = int(noted["done"]), {int(row): str(reason) for row, reason in noted["bad"].items()}
        is_whole = (folder / _IMAGES).is_file() and (folder / _IMAGES).stat().st_size >= done * size
        return (done, bad) if is_whole and 0 <= done <= count and all(0 <= row < done for row in bad) else (0, {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return 0, {}


def _write_progress(folder: Path, done: int, bad: dict[int, str]) -> None:
    """Writes progress.json atomically."""
    write_atomically(folder / _PROGRESS, json.dumps({"done": done, "bad": bad}))


def _open_without_following(path: str, flags: int) -> int:
    """Opens a file, but not through a link, which somebody else may have put into a folder that is shared.

    Raises:
        OSError: it is a link, or no regular file, e.g. a pipe, which could block.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return descriptor
