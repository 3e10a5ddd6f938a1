# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs lifecycle nodes as a process: automatic start, an executor for each node, shutdown."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import TransitionCallbackReturn

from emotion_perception.core.errors import ModelBundleError, ModelFileError, one_line
from emotion_perception.ros.executor import FaultTolerantExecutor
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.log import forward_core_log
from emotion_perception.ros.parameters import configuration_problem, refuse_overrides_for_no_node
from emotion_perception.ros.process import EXIT_CONFIGURATION, EXIT_FAULT, EXIT_OK, run_process

_SPIN_S = 0.1
_ALL_END = "all nodes of its process end"


def run_node(make_node: Callable[[], PerceptionNode[Any]], args: list[str] | None = None) -> int:
    """Runs one node until SIGINT, SIGTERM or SIGHUP; returns the exit code of `run_nodes`."""
    return run_nodes([make_node], args)


def run_nodes(node_factories: Sequence[Callable[[], PerceptionNode[Any]]], args: list[str] | None = None) -> int:
    """Runs nodes, each in a thread of its own, until SIGINT, SIGTERM or SIGHUP.

    Args:
        node_factories: create the nodes. The nodes are configured in this order and activated in the reverse one, so
            that every subscriber knows its publishers and is active before they are.
        args: the command line; None takes that of the process.

    Returns:
        The exit code: 0 after a signal, 1 after a fault of any node, 78 if the configuration is invalid, see
        `run_process`.
    """
    nodes: list[PerceptionNode[Any]] = []

    def release() -> None:
        for node in list(nodes):
            node.destroy_node()

    return run_process(lambda stop: _run(node_factories, nodes, stop), release, args=args)


def _run(
    node_factories: Sequence[Callable[[], PerceptionNode[Any]]], nodes: list[PerceptionNode[Any]], stop: threading.Event
) -> int:
    try:
        for make in node_factories:
            nodes.append(make())
        refuse_overrides_for_no_node(nodes, frozenset[str]().union(*(node.qos_parameters for node in nodes)))
    except Exception as e:
        if (line := configuration_problem(e)) is None:
            raise
        rclpy.logging.get_logger("emotion_perception").error(line)
        return EXIT_CONFIGURATION
    alone = len(nodes) == 1
    forward_core_log(nodes[0].get_logger() if alone else rclpy.logging.get_logger("emotion_perception"))
    if code := _autostart(nodes, stop):
        stop.set()
    failed: list[str] = []
    threads = [threading.Thread(target=_spin, args=(node, stop, failed), daemon=True) for node in nodes[1:]]
    for thread in threads:
        thread.start()
    _spin(nodes[0], stop, failed)
    for thread in threads:
        thread.join()
    return code or (EXIT_FAULT if failed else EXIT_OK)


def _autostart(nodes: list[PerceptionNode[Any]], stop: threading.Event) -> int:
    """Configures and activates the nodes, until one fails or `stop` is set; returns the exit code."""
    nodes = [node for node in nodes if node.autostart]
    transitions = [(node, node.trigger_configure) for node in nodes]
    transitions += [(node, node.trigger_activate) for node in reversed(nodes)]
    for node, transition in transitions:
        if stop.is_set():
            break
        if transition() is not TransitionCallbackReturn.SUCCESS:
            if len(nodes) > 1:
                node.get_logger().error(f"{node.get_name()} cannot start, so {_ALL_END}")
            return _exit_code(node.transition_error)
    return EXIT_OK


def _spin(node: PerceptionNode[Any], stop: threading.Event, failed: list[str]) -> None:
    """Spins until `stop` is set, then shuts the node down; sets `stop`, so the end of one node ends all.

    Args:
        node: the node.
        stop: ends all nodes of the process.
        failed: gets the name of the node if spinning raises.
    """
    executor = FaultTolerantExecutor(node, node.count_fault)
    try:
        while not stop.is_set() and rclpy.ok():
            executor.spin_once(timeout_sec=_SPIN_S)
    except ExternalShutdownException:
        pass
    except BaseException as e:  # noqa: BLE001 - a thread ends without a word where SystemExit is raised
        failed.append(node.get_name())
        node.get_logger().fatal(f"{node.get_name()} failed, so {_ALL_END}: {type(e).__name__}: {one_line(e)}")
    finally:
        stop.set()
        executor.shutdown()
        node.on_shutdown(None)


def _exit_code(fault: Exception | None) -> int:
    bad_model = isinstance(fault, ModelFileError | ModelBundleError)
    bad_value = fault is not None and configuration_problem(fault) is not None
    return EXIT_CONFIGURATION if bad_model or bad_value else EXIT_FAULT
