# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The executor of every node and tool of this package: the exception of one callback does not end the process."""

import traceback
from collections.abc import Callable

from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.time_source import TimeSource

from emotion_perception.core.errors import one_line

_THROTTLE_S = 5.0


class FaultTolerantExecutor(SingleThreadedExecutor):
    """Runs the callbacks of one node; an exception of one is counted and reported, and the next one runs.

    rclpy raises the exception of a callback out of `spin_once`, also that of a message that cannot be deserialized and
    that of a `/clock` value that is no time. All of them come from other participants.

    Args:
        node: whose callbacks run.
        on_fault: gets each exception as one line; without it, one is logged at most every five seconds.

    Attributes:
        faults: number of exceptions so far.
    """

    def __init__(self, node: Node, on_fault: Callable[[str], None] | None = None) -> None:
        super().__init__(context=node.context)
        self._node, self._on_fault = node, on_fault or self._log
        self.faults = 0
        self.add_node(node)

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Runs one callback that is ready, or waits for one.

        Args:
            timeout_sec: how long it waits at most; None waits without limit.

        Raises:
            ExternalShutdownException: the context was shut down.
        """
        try:
            super().spin_once(timeout_sec)
        except ExternalShutdownException:
            raise
        except Exception as e:  # noqa: BLE001 - whatever one message causes, only that one is lost
            self.faults += 1
            self._on_fault(f"{_origin(e)}{type(e).__name__}: {one_line(e)}")

    def _log(self, fault: str) -> None:
        text = f"a callback failed: {fault} ({self.faults} so far)"
        self._node.get_logger().warning(text, throttle_duration_sec=_THROTTLE_S)


def _origin(error: Exception) -> str:
    """Returns "/clock: " if rclpy's own subscription to it raised, which is the only one that has no callback here."""
    modules = (frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__))
    return "/clock: " if TimeSource.__module__ in modules else ""
