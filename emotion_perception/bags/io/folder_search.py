# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds the recordings in a folder and names them."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emotion_perception.bags.io.recording import is_recording
from emotion_perception.core.folder_walk import FolderWalk
from emotion_perception.reporting.output_folder import is_output_of


def find_recordings(folder: Path, *, exclude: Path) -> dict[str, Path]:
    """Returns the recordings in a folder and its subfolders by name, sorted.

    A name is the path below `folder`, of a storage file without its suffix; it has the suffix where another recording
    or folder beside it has the same name. Each recording is found once, whatever links lead to it.

    Folders of results are left out: what `evaluate-bag --write-bag` wrote is a copy of a recording.

    Args:
        folder: the folder.
        exclude: folder that is not searched, if it exists.

    Raises:
        ConfigurationError: the tree is beyond the limits of `FolderWalk`.
        OSError: a folder cannot be listed.
    """
    walk = FolderWalk()
    walk.leave_out_parents(folder)
    if exclude.exists() and exclude.resolve() != folder.resolve():
        walk.is_new(exclude)
    return dict(sorted(_search(walk, folder, 0).items()))


def recording_name(path: Path) -> str:
    """Returns the name of a recording: that of a folder, or of a storage file without its suffix."""
    named = Path(os.path.abspath(path))  # also of `.`
    return named.name if named.is_dir() else named.stem


def _search(walk: FolderWalk, folder: Path, depth: int) -> dict[str, Path]:
    entries = [entry for entry in walk.entries(folder, depth) if entry.exists()]  # without dangling links
    here = [entry for entry in entries if is_recording(entry)]
    searched = [
        entry for entry in entries if entry.is_dir() and entry not in here and not is_output_of(entry, "evaluate-bag")
    ]
    here = [entry for entry in here if walk.is_new(entry)]
    recordings = dict(zip(_names(here, searched), here, strict=True))
    for subfolder in searched:
        recordings |= {f"{subfolder.name}/{name}": path for name, path in _search(walk, subfolder, depth + 1).items()}
    return recordings


def _names(recordings: Sequence[Path], folders: Sequence[Path]) -> list[str]:
    """Returns different names for recordings of one folder, none of them that of a folder."""
    names = [recording_name(entry) for entry in recordings]
    taken = [entry.name for entry in folders]
    while True:  # at most once for each recording: a name with its suffix is not changed again
        counts = Counter([*names, *taken])
        changed = [entry.name if counts[name] > 1 else name for name, entry in zip(names, recordings, strict=True)]
        if changed == names:
            return names
        names = changed
