# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What /diagnostics says of a node: its rate, the age of what it publishes, faults that passed, problems that last."""

import time
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from emotion_perception.core.camera.rate_meter import RateMeter

_FAULT_SHOWN_S = 10.0
_RATE_WINDOW_S = 5.0


class NodeDiagnostics:
    """Collects what happens to a node; every method may be called from any thread.

    Args:
        clock_s: steady time in seconds.

    Attributes:
        faults: how many frames or faces were lost so far.
        last_fault: what the last of them was.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._outputs = RateMeter(_RATE_WINDOW_S)
        self._age_ms = float("nan")
        self._problems: dict[str, tuple[bytes, str]] = {}
        self._last_fault_s = float("-inf")
        self.faults = 0
        self.last_fault = ""

    def published(self, age_ms: float) -> None:
        """Counts one output, made of an image of that age."""
        self._age_ms = age_ms
        self._outputs.add(self._clock_s())

    def fault(self, text: str) -> None:
        """Counts something that cost one frame or face; shown as WARN for ten seconds."""
        self.faults += 1
        self.last_fault, self._last_fault_s = text, self._clock_s()

    def set_problem(self, key: str, text: str, *, error: bool = False) -> bool:
        """Shows a problem as WARN or ERROR until it is cleared; returns whether it is news."""
        level = DiagnosticStatus.ERROR if error else DiagnosticStatus.WARN
        news = self._problems.get(key) != (level, text)
        self._problems[key] = level, text
        return news

    def clear_problem(self, key: str) -> bool:
        """Takes a problem back; returns whether there was one."""
        return self._problems.pop(key, None) is not None

    @property
    def rate_hz(self) -> float:
        """Outputs a second, over the last five seconds."""
        return self._outputs.hz(self._clock_s())

    def entry(self, name: str, values: dict[str, object]) -> DiagnosticStatus:
        """Returns the entry of /diagnostics: the worst of what lasts or has just passed, and all figures."""
        level, message = self._worst()
        figures = {"rate_hz": f"{self.rate_hz:.2f}", "age_ms": f"{self._age_ms:.1f}"}
        shown = {**values, **figures, "faults": self.faults, "last_fault": self.last_fault}
        pairs = [KeyValue(key=key, value=str(value)) for key, value in shown.items()]
        return DiagnosticStatus(level=level, name=name, message=message, values=pairs)

    def _worst(self) -> tuple[bytes, str]:
        problems = list(self._problems.values())
        if self._clock_s() - self._last_fault_s < _FAULT_SHOWN_S:
            problems.append((DiagnosticStatus.WARN, self.last_fault))
        if not problems:
            return DiagnosticStatus.OK, "ok"
        worst = max(level for level, _ in problems)
        return worst, "; ".join(text for level, text in problems if level == worst)
