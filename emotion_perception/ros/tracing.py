# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Records when each frame passes the points of a node, for `make bench`.

Nothing is recorded unless the environment variable EMOTION_PERCEPTION_TRACE names a folder. There each node writes
NODE-PID.csv when it is destroyed: point, stamp of the frame (ns), moment (ns, CLOCK_MONOTONIC, which all processes of
a machine share).
"""

import csv
import os
import time
from pathlib import Path

from emotion_perception.core.atomic_files import atomic_file

VARIABLE = "EMOTION_PERCEPTION_TRACE"
COLUMNS = ("point", "stamp_ns", "moment_ns")


class Tracer:
    """Keeps the records in memory until it is closed, as writing them at once would distort the measurement.

    Args:
        node: name of the node.
    """

    def __init__(self, node: str) -> None:
        folder = os.environ.get(VARIABLE)
        self._path = Path(folder, f"{node}-{os.getpid()}.csv") if folder else None
        self._rows: list[tuple[str, int, int]] = []

    def mark(self, point: str, stamp_ns: int, moment_ns: int | None = None) -> None:
        """Records that a frame has passed a point, now unless a moment is given; safe in any thread.

        Args:
            point: name of the point.
            stamp_ns: stamp of the frame.
            moment_ns: of CLOCK_MONOTONIC.
        """
        if self._path is not None:
            self._rows.append((point, stamp_ns, time.monotonic_ns() if moment_ns is None else moment_ns))

    def close(self) -> None:
        """Writes the file if tracing is enabled."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(self._path) as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(list(self._rows))
