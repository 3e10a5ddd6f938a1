# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What bag_player and bag_recorder share: parameters, signals, exit codes.

They are plain nodes, not managed ones: each does one thing from its start to its end, nobody would configure it anew
or pause it, and `ros2 bag`, whose place they take, has no life cycle either.
"""

import signal
import threading
from collections.abc import Callable
from typing import Any, Generic

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from emotion_perception.core.errors import ConfigurationError, RecordingError
from emotion_perception.ros.lifecycle_node import EXIT_CONFIGURATION
from emotion_perception.ros.log import forward_core_log
from emotion_perception.ros.parameters import Config, Parameters
from emotion_perception.ros.shutdown_watchdog import shutdown_watchdog


class OneShotNode(Node, Generic[Config]):
    """A node that runs itself, with its own executor.

    Args:
        name: node name.
        config_type: the dataclass whose fields are its parameters, all read-only.
        options: passed on to rclpy's Node.

    Raises:
        ConfigurationError: a parameter has a value that cannot work.

    Attributes:
        config: the parameters.
    """

    def __init__(self, name: str, config_type: type[Config], **options: Any) -> None:
        super().__init__(name, **options)
        self.config: Config = Parameters(self, config_type).value
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self)

    def run(self, stop: threading.Event) -> int:
        """Works until it is done or `stop` is set; returns the exit code.

        Raises:
            ConfigurationError, RecordingError: it cannot work.
        """
        raise NotImplementedError

    def spin_once(self, timeout_s: float) -> None:
        """Answers what came, or waits for it."""
        self._executor.spin_once(timeout_sec=max(0.0, timeout_s))

    def close(self) -> None:
        """Leaves the graph."""
        self._executor.shutdown()
        self.destroy_node()


def run_one_shot_node(make_tool: Callable[[], OneShotNode[Any]], args: list[str] | None = None) -> int:
    """Runs a tool until it is done, or until SIGINT or SIGTERM.

    Returns:
        The exit code: the tool's, or 78 where the configuration cannot work.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        return _run(make_tool(), stop)
    except (ConfigurationError, RecordingError) as e:
        rclpy.logging.get_logger("emotion_perception").error(str(e))
        return EXIT_CONFIGURATION
    finally:
        with shutdown_watchdog():
            rclpy.shutdown()


def _run(tool: OneShotNode[Any], stop: threading.Event) -> int:
    forward_core_log(tool.get_logger())
    try:
        return tool.run(stop)
    finally:
        with shutdown_watchdog():
            tool.close()
