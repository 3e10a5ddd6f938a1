# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""health_check: tells by its exit code whether the nodes are healthy, for the health check of a container or a service.

Waits until /diagnostics (diagnostic_msgs/DiagnosticArray) has an entry of each node, at most `--timeout` seconds. The
exit code is 0 if all of them have reported and none is worse than `--worst`, else 1, with one line that has the reason;
78 if its own name or a parameter is invalid.
"""

import argparse
import contextlib
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.utilities import remove_ros_args

from emotion_perception.core.errors import clipped
from emotion_perception.core.options import Options
from emotion_perception.core.printable import printable
from emotion_perception.ros.node_names import NODES
from emotion_perception.ros.one_shot_node import OneShotNode, run_one_shot_node
from emotion_perception.ros.process import EXIT_FAULT, EXIT_OK

LEVELS = {"ok": DiagnosticStatus.OK, "warn": DiagnosticStatus.WARN, "error": DiagnosticStatus.ERROR}
_SPIN_S, _MAX_TIMEOUT_S = 0.1, 3600.0


def main() -> int:
    """Runs the check; returns the exit code."""
    parser = argparse.ArgumentParser("health_check", description=(__doc__ or "").partition(": ")[2], allow_abbrev=False)
    parser.add_argument(
        "nodes", nargs="*", default=NODES, help=f"relative or absolute names of nodes (default: {' '.join(NODES)})"
    )
    parser.add_argument("--timeout", type=_seconds, default=5.0, help="seconds to wait (default: %(default)g)")
    parser.add_argument(
        "--worst", choices=LEVELS, default="warn", help="the worst level of a healthy node (default: %(default)s)"
    )
    try:
        arguments = remove_ros_args()[1:]
    except RuntimeError as e:  # what rclpy raises for malformed ROS arguments
        parser.error(f"invalid ROS arguments: {e}")
    options = parser.parse_args(arguments)
    return run_one_shot_node(lambda: HealthCheckNode(options.nodes, timeout_s=options.timeout, worst=options.worst))


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= _MAX_TIMEOUT_S:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {_MAX_TIMEOUT_S:g}")
    return value


@dataclass(frozen=True, kw_only=True)
class NoParameters(Options):
    """The node has none; what it does is in its arguments."""


class HealthCheckNode(OneShotNode[NoParameters]):
    """Waits for the entries of nodes on /diagnostics.

    Args:
        names: of the nodes, relative to its namespace or absolute.
        timeout_s: maximum time to wait, in seconds.
        worst: key of `LEVELS`: the worst level of a healthy node.
    """

    def __init__(self, names: Sequence[str], *, timeout_s: float, worst: str) -> None:
        # it is there for seconds, and nobody asks it for parameters
        super().__init__("health_check", NoParameters, enable_rosout=False, start_parameter_services=False)
        namespace = self.get_namespace().rstrip("/")
        self._names = frozenset(name if name.startswith("/") else f"{namespace}/{name}" for name in names)
        self._missing, self._failed = set(self._names), dict[str, str]()
        self._timeout_s, self._worst = timeout_s, LEVELS[worst]
        self.create_subscription(DiagnosticArray, "/diagnostics", self._read, 50)

    def run(self, stop: threading.Event) -> int:
        """Waits until all nodes have reported; prints `ok` or the reason, and returns the exit code."""
        deadline_s = time.monotonic() + self._timeout_s
        while self._missing and time.monotonic() < deadline_s and not stop.is_set():
            self.spin_once(_SPIN_S)
        lines = [f"{name}: {text}" for name, text in sorted(self._failed.items())]
        lines += [f"{name} has not reported within {self._timeout_s:g} s" for name in sorted(self._missing)]
        with contextlib.suppress(OSError):  # the exit code is the answer, whoever reads the text
            os.write((sys.stderr if lines else sys.stdout).fileno(), f"{'; '.join(lines) or 'ok'}\n".encode())
        return EXIT_FAULT if lines else EXIT_OK

    def _read(self, message: DiagnosticArray) -> None:
        for entry in message.status:
            name = entry.name.partition(":")[0].strip()  # NODE or NODE: COMPONENT
            if name in self._names:
                self._missing.discard(name)
                if entry.level > self._worst:
                    self._failed[name] = printable(clipped(entry.message))
