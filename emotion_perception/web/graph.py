# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph as it stands: nodes by their diagnostics, topics with rate, age and drops, and the log."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from emotion_perception.core.printable import printable

GONE_S = 1.8
"""A node reports once a second; one that has not for so long is shown as gone: within 3 s of its end."""

LEVELS = ("ok", "warn", "error", "stale")
MAX_TOPICS = 60
_MAX_NODES, _MAX_LINES, _MAX_TEXT = 100, 200, 240


def shown(text: object) -> str:
    """Returns a text of somebody else on one line, clipped to 240 characters."""
    line = printable(str(text)[: 2 * _MAX_TEXT])
    return line if len(line) <= _MAX_TEXT else line[: _MAX_TEXT - 3] + "..."


@dataclass(frozen=True)
class NodeView:
    """One node.

    Attributes:
        name: with its namespace.
        state: of its lifecycle as it reports it, `gone` if it no longer reports, empty if it never has.
        level: one of `LEVELS`, empty if it never has reported.
        message: of its diagnostics.
        values: entries of its diagnostics.
        silent_s: time since its last report; 0 if it never has reported.
    """

    name: str
    state: str
    level: str = ""
    message: str = ""
    values: Mapping[str, str] | None = None
    silent_s: float = 0.0

    def value(self, key: str) -> str:
        """Returns an entry of its diagnostics, empty if it has none."""
        return (self.values or {}).get(key, "")


@dataclass(frozen=True)
class TopicView:
    """One topic.

    Attributes:
        name: full name.
        kind: type.
        publishers: number of publishers.
        subscribers: number of subscribers.
        rate_hz: as its publisher reports it, empty if unknown.
        age_ms: of its newest message when that was published, empty if unknown.
        drops: frames that its publisher has dropped, empty if it cannot drop.
    """

    name: str
    kind: str
    publishers: int
    subscribers: int
    rate_hz: str = ""
    age_ms: str = ""
    drops: str = ""


@dataclass(frozen=True)
class LogLine:
    """One line of the log.

    Attributes:
        time_s: time of the message in seconds since 1970.
        level: `WARN` or `ERROR` (also of FATAL).
        node: who logged it.
        text: what.
    """

    time_s: float
    level: str
    node: str
    text: str


@dataclass
class _Report:
    level: str
    message: str
    values: dict[str, str]
    at_s: float


class GraphState:
    """Collects reports, names and log lines; any thread may write and read.

    Args:
        clock_s: steady time in seconds.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._reports: dict[str, _Report] = {}
        self._names: tuple[str, ...] = ()
        self._topics: tuple[TopicView, ...] = ()
        self._lines: deque[LogLine] = deque(maxlen=_MAX_LINES)
        self.lines_version = 0

    def report(self, name: str, level: int, message: str, values: Mapping[str, str]) -> None:
        """Adds an entry of /diagnostics; beyond 100 names further ones are ignored."""
        clipped = {shown(key): shown(value) for key, value in list(values.items())[:64]}
        with self._lock:
            if name in self._reports or len(self._reports) < _MAX_NODES:
                level_name = LEVELS[level] if 0 <= level < len(LEVELS) else "error"
                self._reports[name] = _Report(level_name, shown(message), clipped, self._clock_s())

    def set_graph(self, nodes: Sequence[str], topics: Sequence[TopicView]) -> None:
        """Replaces what discovery has found; the first 100 nodes and 60 topics are kept."""
        with self._lock:
            self._names, self._topics = tuple(nodes)[:_MAX_NODES], tuple(topics)[:MAX_TOPICS]

    def log(self, line: LogLine) -> None:
        """Adds a line of the log; 200 are kept."""
        with self._lock:
            self._lines.append(replace(line, node=shown(line.node), text=shown(line.text)))
            self.lines_version += 1

    def lines(self) -> list[LogLine]:
        """Returns the lines, newest first."""
        with self._lock:
            return list(reversed(self._lines))

    def node(self, name: str) -> NodeView | None:
        """Returns a node that has reported, else None."""
        with self._lock:
            report = self._reports.get(name)
        return None if report is None else self._viewed(name, report)

    def nodes(self) -> list[NodeView]:
        """Returns the nodes by name: those that report first, then those that discovery knows."""
        with self._lock:
            reports, names = dict(self._reports), self._names
        reporting = [self._viewed(name, report) for name, report in sorted(reports.items())]
        return reporting + [NodeView(shown(name), "") for name in sorted(set(names) - reports.keys())]

    def topics(self) -> list[TopicView]:
        """Returns the topics."""
        with self._lock:
            return list(self._topics)

    def _viewed(self, name: str, report: _Report) -> NodeView:
        silent_s = self._clock_s() - report.at_s
        state = "gone" if silent_s > GONE_S else report.values.get("state", "runs")
        return NodeView(shown(name), state, report.level, report.message, report.values, silent_s)
