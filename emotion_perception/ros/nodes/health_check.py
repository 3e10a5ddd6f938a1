# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""health_check: tells by its exit code whether the nodes are well, for the health check of a container or a service.

Waits until /diagnostics (diagnostic_msgs/DiagnosticArray) has an entry of each node, at most `--timeout` seconds. The
exit code is 0 if all of them have reported and none is worse than `--worst`, else 1, with one line that has the reason.
"""

import argparse
import sys
import threading
import time
from collections.abc import Sequence

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.utilities import remove_ros_args

from emotion_perception.core.errors import clipped
from emotion_perception.core.printable import printable
from emotion_perception.ros.executor import FaultTolerantExecutor
from emotion_perception.ros.node_names import NODES
from emotion_perception.ros.process import EXIT_FAULT, EXIT_OK, run_process

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
        "--worst", choices=LEVELS, default="warn", help="the worst level that is still well (default: %(default)s)"
    )
    try:
        arguments = remove_ros_args()[1:]
    except RuntimeError as e:  # what rclpy raises for malformed ROS arguments
        parser.error(f"invalid ROS arguments: {e}")
    options = parser.parse_args(arguments)
    return run_process(lambda stop: _check(stop, options.nodes, options.timeout, options.worst), lambda: None)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= _MAX_TIMEOUT_S:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {_MAX_TIMEOUT_S:g}")
    return value


def _check(stop: threading.Event, names: Sequence[str], timeout_s: float, worst: str) -> int:
    """Waits for the entries of the nodes; returns the exit code."""
    node = rclpy.create_node("health_check", enable_rosout=False, start_parameter_services=False)
    namespace = node.get_namespace().rstrip("/")
    missing = {name if name.startswith("/") else f"{namespace}/{name}" for name in names}
    wanted, ill = frozenset(missing), dict[str, str]()

    def report(message: DiagnosticArray) -> None:
        for entry in message.status:
            name = entry.name.partition(":")[0].strip()  # NODE or NODE: COMPONENT
            if name in wanted:
                missing.discard(name)
                if entry.level > LEVELS[worst]:
                    ill[name] = printable(clipped(entry.message))

    node.create_subscription(DiagnosticArray, "/diagnostics", report, 50)
    executor = FaultTolerantExecutor(node)
    deadline_s = time.monotonic() + timeout_s
    while missing and time.monotonic() < deadline_s and not stop.is_set():
        executor.spin_once(_SPIN_S)
    executor.shutdown()
    node.destroy_node()
    lines = [f"{name}: {text}" for name, text in sorted(ill.items())]
    lines += [f"{name} has not reported within {timeout_s:g} s" for name in sorted(missing)]
    print("; ".join(lines) or "ok", file=sys.stderr if lines else sys.stdout)
    return EXIT_FAULT if lines else EXIT_OK
