# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The check before a command writes a single file; `output_folder` is for folders."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from emotion_perception.core.errors import ConfigurationError


def check_output_file(
    path: Path, *, inputs: Sequence[Path] = (), force: bool = False, is_ours: Callable[[Path], bool] = lambda _: False
) -> None:
    """Checks that a single file can be written without loss.

    Args:
        path: the file.
        inputs: files that the command reads.
        force: whether another file may be replaced.
        is_ours: returns whether an existing file is one that the command wrote.

    Raises:
        ConfigurationError: the path is a folder, a link, a device, an input, or a file of others.
    """
    if path.is_symlink():  # it would be replaced, and /dev/stdout is one
        raise ConfigurationError(f"{path}: is a link to {os.path.realpath(path)}; give the path of a file")
    if path.is_dir():
        raise ConfigurationError(f"{path}: is a folder; give the path of a file")
    if path.exists() and not path.is_file():  # e.g. /dev/null, whose place a file would take
        raise ConfigurationError(f"{path}: is not a regular file; give the path of a file")
    if os.path.realpath(path) in {os.path.realpath(entry) for entry in inputs}:
        raise ConfigurationError(f"{path}: is read, so it cannot be written: give the path of another file")
    if os.path.lexists(path) and not force and not is_ours(path):
        raise ConfigurationError(f"{path}: exists, and this command did not write it: give the path of another file")
