# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes files that have their name only when they are complete.

The content goes to a new file with a random name in the same folder, which is renamed at the end. Nobody sees half a
file, an error or a kill leaves the old one, and no link that stands under the name is followed: it is replaced.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from emotion_perception.core.printable import encodable


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields the path of a new, empty file that replaces `path` when the block ends without an error.

    Args:
        path: the file to write, in an existing folder. The new file has the same suffix.

    Raises:
        OSError: the file cannot be written; the error names `path`.
    """
    part = path.with_name(f".{path.stem[:64]}.{secrets.token_hex(8)}{path.suffix}")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        try:
            yield part
            _flush(part)
            os.replace(part, path)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
    except OSError as e:
        if e.filename in (None, str(part)):  # the user knows the file by its final name
            raise OSError(e.errno, e.strerror or str(e), str(path)) from e
        raise


@contextmanager
def atomic_file(path: Path) -> Iterator[TextIO]:
    """Yields an open text file (UTF-8, line breaks as they are written) that replaces `path` at the end of the block.

    Args:
        path: the file to write, in an existing folder.

    Raises:
        OSError: see `atomic_path`.
    """
    with atomic_path(path) as part, open(part, "w", encoding="utf-8", newline="") as file:
        yield file


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes a file as a whole; text as UTF-8, see `encodable`.

    Raises:
        OSError: see `atomic_path`.
    """
    with atomic_path(path) as part:
        part.write_bytes(encodable(content).encode() if isinstance(content, str) else content)


def _flush(path: Path) -> None:
    """Waits until the file is on the disk, so that a power cut after the renaming leaves no empty file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
