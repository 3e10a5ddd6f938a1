# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A node's entry of /diagnostics: output rate, age of its outputs, past faults, lasting problems."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from emotion_perception.core.camera import RateMeter

COMPONENTS = ("camera", "faces", "emotions", "overlay", "node")
"""What entries of this package are of; a node that is none of the four says `node`."""

_FAULT_SHOWN_S = 10.0
_RATE_WINDOW_S = 5.0
_LOGGED_PROBLEMS, _LOGGED_WITHIN_S = 5, 10.0  # a problem that comes and goes is in the log so often in that time
_ALL_FAILED = 3  # so many failed frames in a row are an error: a single damaged frame is not


@dataclass(frozen=True)
class _FailedFrames:
    """The frames of a stream that have failed since the last one that was processed."""

    count: int
    reason: str


def status_name(node: str, component: str) -> str:
    """Returns the name of an entry of /diagnostics, such as `/front/camera_node: camera`, as diagnostic_updater has it.

    Args:
        node: full name of the node.
        component: one of `COMPONENTS`.
    """
    return f"{node}: {component}"


def node_of_status(name: str) -> str:
    """Returns the full name of the node that an entry of /diagnostics is of; the name of an entry of others as it is.

    Others may have several entries for a node.
    """
    node, separator, component = name.rpartition(": ")
    return node if separator and component in COMPONENTS else name


class NodeDiagnostics:
    """Collects faults, problems and outputs of a node; every method may be called from any thread.

    Args:
        clock_s: steady time in seconds.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()  # worker, capture and executor threads write
        self._outputs = RateMeter(_RATE_WINDOW_S)
        self._age_ms = float("nan")
        self._problems: dict[str, tuple[bytes, str]] = {}
        self._logged_s: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_LOGGED_PROBLEMS))
        self._failed: dict[str, _FailedFrames] = {}
        self._faults, self._last_fault, self._last_fault_s = 0, "", float("-inf")

    @property
    def faults(self) -> int:
        """How many frames or faces were lost so far."""
        with self._lock:
            return self._faults

    @property
    def rate_hz(self) -> float:
        """Outputs per second in the last seconds, 0 before the second one."""
        with self._lock:
            return self._outputs.hz(self._clock_s())

    def published(self, age_ms: float) -> None:
        """Counts one output.

        Args:
            age_ms: publication minus stamp of its image, in milliseconds of the node's clock.
        """
        with self._lock:
            self._age_ms = age_ms
            self._outputs.add(self._clock_s())

    def fault(self, text: str) -> None:
        """Counts a fault that cost one frame or face; the status is WARN for ten seconds."""
        with self._lock:
            self._note_fault(text)

    def frame_failed(self, stream: str, text: str) -> None:
        """Counts a fault that cost a whole frame; after three in a row the status is ERROR until one succeeds.

        Args:
            stream: what the frames belong to, e.g. an image topic; each is judged by itself.
            text: the reason, one line.
        """
        with self._lock:
            self._note_fault(text)
            before = self._failed.get(stream)
            self._failed[stream] = _FailedFrames(1 + (before.count if before else 0), text)

    def frame_succeeded(self, stream: str) -> None:
        """Ends the error of `frame_failed`; also when the stream ends."""
        with self._lock:
            self._failed.pop(stream, None)

    def set_problem(self, key: str, text: str, *, error: bool = False) -> bool:
        """Makes the status WARN or ERROR until the problem is cleared.

        Args:
            key: identifies the problem.
            text: one line.
            error: ERROR instead of WARN.

        Returns:
            Whether to log it: it is new or has changed, and it was not logged five times in the last ten seconds.
        """
        problem = (DiagnosticStatus.ERROR if error else DiagnosticStatus.WARN, text)
        with self._lock:
            if self._problems.get(key) == problem:
                return False
            self._problems[key] = problem
            logged_s, now_s = self._logged_s[key], self._clock_s()
            if len(logged_s) == _LOGGED_PROBLEMS and now_s - logged_s[0] < _LOGGED_WITHIN_S:
                return False
            logged_s.append(now_s)
            return True

    def clear_problem(self, key: str) -> bool:
        """Clears a problem; returns whether there was one."""
        with self._lock:
            return self._problems.pop(key, None) is not None

    def entry(self, name: str, hardware_id: str, values: dict[str, object]) -> DiagnosticStatus:
        """Returns the entry of /diagnostics.

        Args:
            name: of the entry, see `status_name`.
            hardware_id: the device or computer that the node depends on.
            values: entries of the node's own, shown before the common ones.

        Returns:
            The status, with the highest level among the problems and a recent fault.
        """
        with self._lock:
            level, message = self._worst()
            rates = {"rate_hz": f"{self._outputs.hz(self._clock_s()):.2f}", "age_ms": f"{self._age_ms:.1f}"}
            shown = {**values, **rates, "faults": self._faults, "last_fault": self._last_fault}
        pairs = [KeyValue(key=key, value=str(value)) for key, value in shown.items()]
        return DiagnosticStatus(level=level, name=name, message=message, hardware_id=hardware_id, values=pairs)

    def _note_fault(self, text: str) -> None:
        self._faults += 1
        self._last_fault, self._last_fault_s = text, self._clock_s()

    def _worst(self) -> tuple[bytes, str]:
        problems = list(self._problems.values())
        problems += [
            (DiagnosticStatus.ERROR, f"{stream}: the last {failed.count} frames failed: {failed.reason}")
            for stream, failed in self._failed.items()
            if failed.count >= _ALL_FAILED
        ]
        if self._clock_s() - self._last_fault_s < _FAULT_SHOWN_S:
            problems.append((DiagnosticStatus.WARN, self._last_fault))
        if not problems:
            return DiagnosticStatus.OK, "ok"
        worst = max(level for level, _ in problems)
        return worst, "; ".join(text for level, text in problems if level == worst)
