# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Memory-mapped images, and functions that process any number of images in chunks."""

import hashlib
import math
import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

LARGEST_IMAGE = 80_000_000
"""Pixels; a larger image is no photo of a face."""
_SPLITS = (  # an image that is also in a later one has leaked
    ("train", "training"),
    ("val", "valid", "validation", "dev", "publictest"),
    ("test", "testing", "eval", "privatetest"),
)
_CHUNK_BYTES = 4 << 20  # of a chunk
_RESIDENT_BYTES = 64 << 20  # of a mapped file that the process keeps
_AROUND_BYTES = 2 << 20  # that Linux maps when a page is touched: at most a huge page


class MappedImages:
    """Images of a memory-mapped file of raw bytes.

    An index returns a copy of an image; a slice, mask or array of rows returns another `MappedImages` without reading
    an image; `np.asarray` reads all images. Pages are released before they exceed 64 MB, so that a pass over the file
    needs no more memory; the system may keep them in its page cache. Objects can be pickled: another process maps the
    file again.

    Args:
        path: file of uint8, one image after the other.
        shape: of all images in the file, (N, H, W) or (N, H, W, 3).
        rows: int64 (M), selected images in their order; None selects all.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path, shape: Sequence[int], rows: NDArray[np.int64] | None = None) -> None:
        self._path, self._all = path, tuple(shape)
        self._rows = np.arange(self._all[0]) if rows is None else rows
        self._map: mmap.mmap | None = None
        self._touched = 0  # bytes since pages were released

    @property
    def shape(self) -> tuple[int, ...]:
        """(M, H, W) or (M, H, W, 3)."""
        return (len(self._rows), *self._all[1:])

    @property
    def ndim(self) -> int:
        """3 or 4."""
        return len(self._all)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> NDArray[np.uint8]: ...

    @overload
    def __getitem__(self, key: slice | NDArray[Any]) -> "MappedImages": ...

    def __getitem__(self, key: Any) -> "NDArray[np.uint8] | MappedImages":
        chosen = self._rows[key]
        if np.ndim(chosen) == 0:
            return self._read(chosen)
        return MappedImages(self._path, self._all, chosen)

    def joined(self, other: "MappedImages") -> "MappedImages":
        """Returns these images and, after them, others of the same file."""
        return MappedImages(self._path, self._all, np.concatenate([self._rows, other._rows]))

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return map(self._read, self._rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self._read(self._rows), dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}

    def _read(self, rows: Any) -> NDArray[np.uint8]:
        """Returns a copy of an image, or of several for an array of rows."""
        if self._map is None:
            with open(self._path, "rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        images = np.frombuffer(self._map, np.uint8).reshape(self._all).take(rows, axis=0)  # a copy
        self._touched += np.size(rows) * max(math.prod(self._all[1:]), _AROUND_BYTES)
        if self._touched > _RESIDENT_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._touched = 0
        return images


Images: TypeAlias = NDArray[np.uint8] | MappedImages


def chunks(images: Images) -> Iterator[NDArray[np.uint8]]:
    """Yields the images in order, as arrays (n, H, W[, 3]) of about 4 MB."""
    count = max(1, _CHUNK_BYTES // max(1, int(np.prod(images.shape[1:]))))
    for start in range(0, len(images), count):
        yield np.asarray(images[start : start + count])


def deviations(images: Images) -> NDArray[np.float64]:
    """Returns the standard deviation of the pixels of each image, float64 (N)."""
    parts = [part.reshape(len(part), -1).std(axis=1) for part in chunks(images)]
    return np.concatenate(parts) if parts else np.zeros(0)


def digests(images: Images) -> NDArray[np.int64]:
    """Returns a 64-bit hash of the pixels of each image, int64 (N)."""
    found = (hashlib.blake2b(row.tobytes(), digest_size=8).digest() for part in chunks(images) for row in part)
    return np.frombuffer(b"".join(found), np.int64)


def split_rank(name: str) -> int | None:
    """Returns the rank of a split by its usual name in any case, 0 for training; None if it is not a split's name."""
    return next((rank for rank, names in enumerate(_SPLITS) if name.lower() in names), None)


def find_leaks(images: Images, splits: Sequence[str] | NDArray[np.str_], order: Sequence[str]) -> NDArray[np.bool_]:
    """Returns bool (N): True if an image with equal pixels is in a later split of `order`."""
    rank = {name: place for place, name in enumerate(order)}
    ranks = np.array([rank.get(str(name), -1) for name in splits], np.int64)
    _, groups = np.unique(digests(images), return_inverse=True)
    latest = np.full(len(ranks), -1)
    np.maximum.at(latest, groups, ranks)
    return (ranks >= 0) & (ranks < latest[groups])
