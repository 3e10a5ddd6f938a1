# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The base of bag_player, bag_recorder, web_viewer_node and health_check: parameters, signals, exit codes.

They are plain nodes, not lifecycle nodes: each does one thing from its start to its end without being reconfigured or
paused. `ros2 bag`, which the first two replace, has no lifecycle either.
"""

import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic

import rclpy
from rclpy.node import Node

from emotion_perception.ros.answered_services import always_answered
from emotion_perception.ros.executor import FaultTolerantExecutor
from emotion_perception.ros.log import forward_core_log
from emotion_perception.ros.node_options import NodeOptions
from emotion_perception.ros.parameters import Config, Parameters, configuration_problem, refuse_unknown_parameters
from emotion_perception.ros.process import EXIT_CONFIGURATION, GRACE_PERIOD_S, run_process

if TYPE_CHECKING:
    from typing_extensions import Unpack


class OneShotNode(Node, Generic[Config]):
    """A node that runs until its task is done, with its own executor.

    Args:
        name: node name.
        config_type: the dataclass whose fields are its parameters, all read-only.
        options: see `NodeOptions`.

    Raises:
        ConfigurationError: a parameter has an invalid value, or the node does not have it.

    Attributes:
        config: the parameters.
    """

    def __init__(self, name: str, config_type: type[Config], **options: "Unpack[NodeOptions]") -> None:
        super().__init__(name, **options)
        self.config: Config = Parameters(self, config_type).value
        refuse_unknown_parameters(self)
        for service in self.services:
            service.callback = always_answered(self, service)

    def run(self, stop: threading.Event) -> int:
        """Works until the task is done or `stop` is set; returns the exit code.

        Raises:
            ConfigurationError, RecordingError: the task cannot be done.
        """
        raise NotImplementedError

    def spin_once(self, timeout_s: float) -> None:
        """Runs one callback that is ready, or waits for one; see `FaultTolerantExecutor`."""
        self._executor.spin_once(timeout_sec=max(0.0, timeout_s))

    def close(self) -> None:
        """Releases the executor and destroys the node."""
        self._executor.shutdown()
        self.destroy_node()

    @cached_property
    def _executor(self) -> FaultTolerantExecutor:
        """The executor, created by its first use: nobody shuts down that of a node whose constructor raises."""
        return FaultTolerantExecutor(self)


def run_one_shot_node(
    make_node: Callable[[], OneShotNode[Any]], args: list[str] | None = None, *, grace_period_s: float = GRACE_PERIOD_S
) -> int:
    """Runs a node until it is done, or until SIGINT, SIGTERM or SIGHUP.

    Args:
        make_node: creates the node.
        args: the command line; None takes that of the process.
        grace_period_s: how long the node may go on after a signal, in seconds.

    Returns:
        The exit code: the node's, or 78 if the configuration is invalid, see `run_process`.
    """
    nodes: list[OneShotNode[Any]] = []

    def work(stop: threading.Event) -> int:
        try:
            node = make_node()
            nodes.append(node)
            forward_core_log(node.get_logger())
            return node.run(stop)
        except Exception as e:
            if (line := configuration_problem(e)) is None:
                raise
            rclpy.logging.get_logger("emotion_perception").error(line)
            return EXIT_CONFIGURATION

    def release() -> None:
        for node in nodes:
            node.close()

    return run_process(work, release, args=args, grace_period_s=grace_period_s)
