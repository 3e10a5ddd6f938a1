# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Hash of a dataset: of a file, or of all files of a folder."""

import hashlib
from pathlib import Path

from tqdm import tqdm

from emotion_perception.core.assets import file_sha256
from emotion_perception.reporting.output_folder import MARKER
from emotion_perception.training.archives import MAX_MAT_BYTES


def data_sha256(path: Path, *, progress: bool = False) -> str:
    """Returns the sha256 of a file, or of the relative names and hashes of all files of a folder.

    Folders of results of this package in it are left out, as they are where images are read. Of a file in a folder that
    is larger than any that is read as data, the size stands for the hash.

    Args:
        path: file or folder; the hash does not depend on where it is.
        progress: show a progress bar over the files of a folder.

    Raises:
        ModelFileError: a file cannot be read.
    """
    if not path.is_dir():
        return file_sha256(path)
    results = {found.parent for found in path.rglob(MARKER)} - {path}
    files = sorted(found for found in path.rglob("*") if found.is_file() and not results & set(found.parents))
    total = hashlib.sha256()
    for file in tqdm(files, "hashing the data", unit=" files", disable=None if progress else True, leave=False):
        size = file.stat().st_size
        content = file_sha256(file) if size <= MAX_MAT_BYTES else f"{size} bytes"
        total.update(f"{content}  {file.relative_to(path).as_posix()}\n".encode(errors="surrogateescape"))
    return total.hexdigest()
