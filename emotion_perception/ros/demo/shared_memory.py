# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Removes the shared-memory segments that Fast DDS leaves in /dev/shm when a process is killed.

The segments of a process are noted while it lives. A participant owns segments `fastrtps_<hex>` (up to 70 MB each with
this package's profile) and holds a lock on the file with `_el` appended to the name for as long as it lives. Ports are
shared by processes and cleaned up by Fast DDS itself.
"""

import contextlib
import fcntl
import re
from collections.abc import Iterable
from pathlib import Path

_SEGMENT = re.compile(r"(/dev/shm/fast(?:rtps|dds)_[0-9a-f]{16})$", re.MULTILINE)


def segments_of(pid: int) -> set[Path]:
    """Returns the segments that a process has mapped; empty if it has ended or belongs to another user."""
    try:
        maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    return {Path(path) for path in _SEGMENT.findall(maps)}


def remove_dead(segments: Iterable[Path]) -> int:
    """Removes the segments whose owner has ended, with their locks; returns how many were removed."""
    return sum(_remove_if_dead(segment) for segment in segments)


def _remove_if_dead(segment: Path) -> bool:
    lock = segment.with_name(segment.name + "_el")
    try:
        with open(lock, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while the owner lives
            segment.unlink()
    except OSError:
        return False
    with contextlib.suppress(OSError):
        lock.unlink()
    return True
