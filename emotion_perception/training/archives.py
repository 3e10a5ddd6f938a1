# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limits of .npz files and checkpoints, which are zip archives, and of .mat files, checked before they are opened."""

import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from emotion_perception.core.regular_files import open_regular

MAX_BYTES = 8 << 30
"""Limit of all members together, unpacked. zipfile and torch unpack no more of a member than the archive declares."""
MAX_MEMBERS = 100_000
MAX_MAT_BYTES = 2 << 30
"""Limit of the compressed variables of a .mat file together, unpacked."""
_MAT_HEAD, _MAT_TAG, _MAT_COMPRESSED = 128, 8, 15
_BLOCK = 1 << 20


def check_archive(path: Path) -> None:
    """Checks the limits of a zip archive.

    Raises:
        OSError: it cannot be read or is no regular file.
        zipfile.BadZipFile: it is no zip archive, or damaged.
        ValueError: it is beyond the limits.
    """
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"{len(members):,} members, more than {MAX_MEMBERS:,}")
    if (size := sum(member.file_size for member in members)) > MAX_BYTES:
        raise ValueError(f"unpacked {size / 2**30:.1f} GiB, more than {MAX_BYTES >> 30} GiB")


def check_mat(path: Path) -> None:
    """Checks the limit of a MATLAB file of version 5, whose variables are compressed one by one.

    Raises:
        OSError: it cannot be read or is no regular file.
        ValueError: it is beyond the limit, or damaged.
    """
    size = 0
    with open_regular(path) as file:
        little = file.read(_MAT_HEAD).endswith(b"IM")
        while len(tag := file.read(_MAT_TAG)) == _MAT_TAG:
            kind, left = (int.from_bytes(part, "little" if little else "big") for part in (tag[:4], tag[4:]))
            if kind == _MAT_COMPRESSED:
                size += _unpacked_size(file, left, MAX_MAT_BYTES - size)
            else:
                file.seek(left, 1)


def _unpacked_size(file: BinaryIO, left: int, limit: int) -> int:
    unpacker, size = zlib.decompressobj(), 0
    while left > 0 and (data := file.read(min(left, _BLOCK))):
        left -= len(data)
        while data:
            try:
                size += len(unpacker.decompress(data, _BLOCK))
            except zlib.error as e:
                raise ValueError(str(e)) from e
            if size > limit:
                raise ValueError(f"unpacked more than {MAX_MAT_BYTES >> 30} GiB")
            data = unpacker.unconsumed_tail
    return size
