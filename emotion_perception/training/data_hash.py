# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The identity of a data set: of one file, or of all files of a folder."""

import hashlib
from pathlib import Path

from tqdm import tqdm

from emotion_perception.core.assets import file_sha256


def data_sha256(path: Path, *, progress: bool = False) -> str:
    """Returns the hash of a file's bytes; of a folder, the hash of the names and hashes of the files in it.

    Args:
        path: file or folder. Names are relative to the folder, so it may lie anywhere.
        progress: show a bar over the files of a folder.

    Raises:
        ModelFileError: a file cannot be read.
    """
    if not path.is_dir():
        return file_sha256(path)
    files = sorted(found for found in path.rglob("*") if found.is_file())
    total = hashlib.sha256()
    for file in tqdm(files, "hashing the data", unit=" files", disable=None if progress else True, leave=False):
        total.update(f"{file_sha256(file)}  {file.relative_to(path).as_posix()}\n".encode())
    return total.hexdigest()
