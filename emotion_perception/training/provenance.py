"""Where a result comes from: file hashes, the package's version, the command."""

import hashlib
import importlib.metadata
import shlex
import sys
from datetime import datetime, timezone
from pathlib import Path

from emotion_perception.core.errors import DatasetError

_CHUNK = 1 << 20


def file_sha256(path: Path) -> str:
    """Returns the hash of a file, lower-case hex, reading it piece by piece."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror})") from e
    return digest.hexdigest()


def package_version() -> str:
    """Returns this package's version, or `unknown` where it runs from a source tree without installation."""
    try:
        return importlib.metadata.version("emotion_perception")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def command_line() -> str:
    """Returns the command that runs now, as one may type it; the program without its folder."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def now() -> str:
    """Returns the time in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
