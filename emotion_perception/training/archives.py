# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limits of .npz files and checkpoints, which are zip archives, checked before anything of them is unpacked."""

import zipfile
from pathlib import Path

from emotion_perception.core.regular_files import open_regular

MAX_BYTES = 8 << 30
"""Limit of all members together, unpacked. zipfile and torch unpack no more of a member than the archive declares."""
MAX_MEMBERS = 100_000


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
