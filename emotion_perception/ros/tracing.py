# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Moments in the life of each frame, for `make bench`.

Nothing is kept unless the environment variable EMOTION_PERCEPTION_TRACE names a folder. There, when it ends, each
process writes NODE-PID.csv: point, stamp of the frame (ns), moment (ns, CLOCK_MONOTONIC, which processes of one machine
share).
"""

import atexit
import csv
import os
import time
from collections.abc import Callable
from pathlib import Path

VARIABLE = "EMOTION_PERCEPTION_TRACE"
COLUMNS = ("point", "stamp_ns", "moment_ns")


def tracer(node: str) -> Callable[..., None]:
    """Returns `mark(point, stamp_ns, moment_ns=now)` for a node; it does nothing where no trace is wanted."""
    folder = os.environ.get(VARIABLE)
    return _Trace(Path(folder, f"{node}-{os.getpid()}.csv")).mark if folder else _ignore


def _ignore(point: str, stamp_ns: int, moment_ns: int | None = None) -> None:
    pass


class _Trace:
    """Keeps moments in memory until the process ends: writing would take time from what is measured."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[tuple[str, int, int]] = []
        atexit.register(self._write)

    def mark(self, point: str, stamp_ns: int, moment_ns: int | None = None) -> None:
        self._rows.append((point, stamp_ns, time.monotonic_ns() if moment_ns is None else moment_ns))

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(self._rows)
