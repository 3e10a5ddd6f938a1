# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds nodes that run and report, but no longer receive what another node publishes."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

STALL_S, _RESTART_S = 5.0, 15.0
_MIN_PUBLISHED = 60  # so that a source with few images a second is no stall

_INPUTS = {
    "face_detection_node": ("received", "camera_node", "frames_published"),
    "emotion_classifier_node": ("received", "face_detection_node", "processed"),
    "overlay_node": ("drawn", "camera_node", "frames_published"),
}
"""By node: the entry of /diagnostics that counts what it has received, the publisher, and what counts its messages."""


@dataclass
class _Progress:
    received: int
    published: int
    since_s: float


class StalledNodes:
    """Watches the counts that nodes report.

    A process that is killed while it writes to the shared memory of another one can break the way between two others,
    which both run on; see docs/troubleshooting.md, "A killed node".

    Args:
        nodes: which nodes are watched.
        count: returns a number of a node's last entry of /diagnostics.
        reported_s: returns when a node last reported, as a monotonic time; None before that.
        clock_s: steady time in seconds.
    """

    def __init__(
        self,
        nodes: Collection[str],
        count: Callable[[str, str], int],
        reported_s: Callable[[str], float | None],
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inputs = {name: counts for name, counts in _INPUTS.items() if name in nodes}
        self._count, self._reported_s, self._clock_s = count, reported_s, clock_s
        self._progress: dict[str, _Progress] = {}
        self._have_received: set[str] = set()

    def find(self) -> list[str]:
        """Returns the nodes that have received nothing for five seconds of what was published.

        Nodes that have never received anything may have no reason to. One that was returned gets time to start again.
        """
        return [name for name in self._inputs if self._is_stalled(name)]

    def _is_stalled(self, name: str) -> bool:
        own, publisher, others = self._inputs[name]
        received, published = self._count(name, own), self._count(publisher, others)
        now_s, last = self._clock_s(), self._progress.get(name)
        if last is None or received != last.received or published < last.published:
            self._progress[name] = _Progress(received, published, now_s)
            if received:
                self._have_received.add(name)
            return False
        is_reporting = (self._reported_s(name) or 0.0) > now_s - STALL_S
        if name not in self._have_received or not is_reporting or now_s - last.since_s < STALL_S:
            return False
        if published - last.published < _MIN_PUBLISHED:
            return False
        self._progress[name] = _Progress(received, published, now_s + _RESTART_S)
        return True
