# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lists a folder tree with limits; a folder that links lead to again is listed once."""

import os
from pathlib import Path

from emotion_perception.core.errors import ConfigurationError

MAX_DEPTH = 32
MAX_ENTRIES = 1_000_000


class FolderWalk:
    """Lists the folders of one tree.

    Args:
        max_depth: levels of folders below the first one.
        max_entries: files and folders in all listed folders.
    """

    def __init__(self, *, max_depth: int = MAX_DEPTH, max_entries: int = MAX_ENTRIES) -> None:
        self._max_depth, self._max_entries = max_depth, max_entries
        self._entries = 0
        self._listed: set[tuple[int, int]] = set()

    def leave_out_parents(self, folder: Path) -> None:
        """Leaves out the folders above a folder, to which a link in it may lead."""
        for parent in folder.resolve().parents:
            self.is_new(parent)

    def entries(self, folder: Path, depth: int) -> list[Path]:
        """Returns the entries of a folder by name, links after the others; none if it was listed before.

        Links come last so that a folder is listed under its own name where both are in one folder.

        Args:
            folder: the folder.
            depth: its level; 0 is the first folder.

        Raises:
            ConfigurationError: the tree is beyond the limits.
            OSError: the folder cannot be listed.
        """
        if not self.is_new(folder):
            return []
        if depth > self._max_depth:
            raise ConfigurationError(f"{folder}: more than {self._max_depth} levels of folders")
        entries = []
        with os.scandir(folder) as found:
            for entry in found:
                self._entries += 1
                if self._entries > self._max_entries:
                    raise ConfigurationError(
                        f"{folder}: more than {self._max_entries:,} files and folders in this tree"
                    )
                entries.append(entry)
        entries.sort(key=lambda entry: (entry.is_symlink(), entry.name))
        return [Path(entry.path) for entry in entries]

    def is_new(self, path: Path) -> bool:
        """Returns whether a file or folder is met for the first time, by whatever path."""
        status = path.stat()
        key = status.st_dev, status.st_ino
        new = key not in self._listed
        self._listed.add(key)
        return new
