# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Paths as people give them: `~`, and `file://` URLs as file managers copy them."""

import argparse
import errno
import glob
import os
import re
from pathlib import Path
from urllib.parse import unquote

from emotion_perception.core.errors import ConfigurationError

_FILE_URL = "file://"
_OTHER_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def local_path(text: str) -> Path:
    """Returns the path that a text names: a path, with `~` for the home folder, or a `file://` URL with `%20`.

    Raises:
        ConfigurationError: it is empty, another URL, names another machine, has a null character, or is a link that
            leads to itself; or the home folder is not known.
    """
    if not text.strip():
        raise ConfigurationError("a path is empty")
    if text[: len(_FILE_URL)].lower() == _FILE_URL:
        return _path_of_url(text)
    if _OTHER_URL.match(text):
        raise ConfigurationError(f"{text}: a URL, but only files of this machine are read")
    return _expanded(text)


def path_argument(text: str) -> Path:
    """Returns the path of a command-line argument, see `local_path`; the `type` of argparse.

    Raises:
        argparse.ArgumentTypeError: see `local_path`.
    """
    try:
        return local_path(text)
    except ConfigurationError as e:
        raise argparse.ArgumentTypeError(str(e)) from e


def find_below(folder: Path, name: str) -> Path | None:
    """Returns the file or folder of a name in a folder or in one of its folders, as archives are unpacked, or None."""
    candidates = [folder / name, *sorted(folder.glob(f"*/{glob.escape(name)}"))]
    return next((path for path in candidates if path.exists()), None)


def user_cache() -> Path:
    """Returns this package's folder in the user's cache: below $XDG_CACHE_HOME, or ~/.cache.

    Not platformdirs: ROS runs the nodes on Linux, where one XDG variable, ignored if it is relative, names the cache.

    Raises:
        ConfigurationError: neither $XDG_CACHE_HOME nor the home folder is known.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else _expanded("~/.cache")) / "emotion_perception"


def _path_of_url(url: str) -> Path:
    machine, slash, rest = url[len(_FILE_URL) :].partition("/")
    path = slash + unquote(rest, errors="surrogateescape")
    if machine == "~":  # file://~/x
        return _expanded(f"~{path}")
    if machine not in ("", "localhost"):
        raise ConfigurationError(f"{url}: names the machine '{machine}'; a file of this one is file:///...")
    return _expanded(path[1:] if path.startswith("/~") else path)


def _expanded(text: str) -> Path:
    try:
        path = Path(text).expanduser()
    except RuntimeError as e:
        raise ConfigurationError(f"{text}: the home folder is not known; set HOME") from e
    _refuse_unusable(path)
    return path


def _refuse_unusable(path: Path) -> None:
    """Raises ConfigurationError for a link that leads to itself, and for a null character.

    `Path.resolve` and the functions of `os` have a RuntimeError and a ValueError for them.
    """
    try:
        path.stat()
    except OSError as e:
        if e.errno == errno.ELOOP:
            raise ConfigurationError(f"{path}: {e.strerror}") from e
    except ValueError as e:
        raise ConfigurationError(f"{path}: a path has no null character") from e
