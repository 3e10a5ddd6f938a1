# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens files that users name: regular files only, and not more of them than a stated size.

A FIFO would block the program until somebody writes to it, and /dev/zero or a growing file would fill the memory.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, cast

MIB = 1 << 20
MAX_TEXT_BYTES = 16 * MIB
"""Limit of files that a person or a program writes as text: YAML, JSON."""
MAX_LABELS_BYTES = 256 * MIB
"""Limit of a file of labels."""
MAX_IMAGE_BYTES = 256 * MIB
"""Limit of a file with one image."""
MAX_MODEL_BYTES = 2048 * MIB
"""Limit of an ONNX file, as of the format itself."""
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def opencv_name(path: Path | str) -> str:
    """Returns the name of a file as functions of OpenCV take it.

    OpenCV ends the process where a text has bytes of a name that are not UTF-8 (as lone surrogates, PEP 383), and takes
    such a name as bytes, which its type stubs do not know.
    """
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return cast(str, os.fsencode(name))
    return name


def open_regular(path: Path) -> BinaryIO:
    """Opens a regular file for reading; does not wait for a writer of a FIFO.

    Raises:
        OSError: it cannot be opened, or is no regular file; `strerror` is the reason.
    """
    check_regular(path, os.stat(path))  # opening a device may have effects
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        check_regular(path, os.fstat(descriptor))  # it may have been replaced meanwhile
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


def check_regular(path: Path, status: os.stat_result) -> None:
    """Raises an OSError with the reason as `strerror` if the status of a path is not that of a regular file."""
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "something else")
        number = errno.EISDIR if stat.S_ISDIR(status.st_mode) else errno.EINVAL
        raise OSError(number, f"{kind}, not a file", str(path))


def read_regular(path: Path, max_bytes: int) -> bytes:
    """Returns the content of a regular file.

    Args:
        path: the file.
        max_bytes: largest size; a larger file is not read.

    Raises:
        OSError: it cannot be read, is no regular file or too large; `strerror` is the reason.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(max_bytes + 1) if size <= max_bytes else b""
    if size > max_bytes or len(content) > max_bytes:  # files of /proc have the size 0
        raise OSError(errno.EFBIG, f"larger than the limit of {max_bytes // MIB} MiB", str(path))
    return content
