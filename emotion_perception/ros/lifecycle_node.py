# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the four nodes share: parameters, life cycle, diagnostics, and an end without noise."""

import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions
from rclpy.timer import Timer
from std_msgs.msg import Header

from emotion_perception.core.errors import (
    ConfigurationError,
    EmotionPerceptionError,
    ModelBundleError,
    ModelFileError,
    one_line,
)
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.diagnostics import NodeDiagnostics
from emotion_perception.ros.log import forward_core_log
from emotion_perception.ros.parameters import Config, Parameters
from emotion_perception.ros.shutdown_watchdog import shutdown_watchdog
from emotion_perception.ros.tracing import tracer
from emotion_perception.ros.transport.intra_process import IntraProcessTopics

EXIT_OK, EXIT_FAULT, EXIT_CONFIGURATION = 0, 1, 78
STOP_TIMEOUT_S = 1.0  # of each thread; the whole process has to end within two seconds
_STATUS_PERIOD_S = 1.0
_SPIN_S = 0.1
STEADY = Clock(clock_type=ClockType.STEADY_TIME)
_THROTTLE_S = 5.0


class PerceptionNode(LifecycleNode, Generic[Config]):
    """A managed node with a configuration, frame faults that are counted, and a status once a second.

    A subclass makes its collaborators in `setup`, begins to work in `start`, ends its work in `stop` and lets go in
    `teardown`. What `setup` and `start` raise becomes one line and a failed transition; `teardown` and `stop` then take
    back what was done by then, so they bear with what is not there.

    Args:
        name: node name.
        config_type: the dataclass whose fields are the node's parameters.
        intra_process: where nodes of the same process are met; None for a node that is alone.
        options: passed on to rclpy's Node, e.g. `context`, `namespace`, `parameter_overrides`.

    Raises:
        ConfigurationError: a parameter has a value that cannot work.
    """

    def __init__(
        self, name: str, config_type: type[Config], *, intra_process: IntraProcessTopics | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        self.intra_process = intra_process or IntraProcessTopics()
        self._live = Parameters(self, config_type)
        autostart = ParameterDescriptor(description="configure and activate at start", read_only=True)
        self.autostart: bool = self.declare_parameter("autostart", True, autostart).value
        self._state = "unconfigured"
        self.start_fault: Exception | None = None
        self.health = NodeDiagnostics()
        self.trace = tracer(name)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_steady_timer(_STATUS_PERIOD_S, self.publish_status)

    @property
    def config(self) -> Config:
        """The present parameters; exchanged whole when one is set."""
        return self._live.value

    @property
    def faults(self) -> int:
        """How many frames or faces were lost so far."""
        return self.health.faults

    def create_steady_timer(self, period_s: float, callback: Callable[[], None]) -> Timer:
        """Returns a timer on a steady clock: it runs without `/clock` too, and through every jump of it."""
        return self.create_timer(period_s, callback, clock=STEADY)

    def setup(self) -> None:
        """Makes the collaborators (configure)."""

    def start(self) -> None:
        """Begins to work (activate)."""

    def stop(self) -> None:
        """Ends the work; threads are gone and no message follows (deactivate)."""

    def teardown(self) -> None:
        """Lets the collaborators go (cleanup)."""

    def status(self) -> dict[str, object]:
        """Returns what /diagnostics shows of this node."""
        return {}

    def count_fault(self, text: str) -> None:
        """Counts something that cost one frame or face, and says so at most every five seconds."""
        self.health.fault(text)
        self.get_logger().warning(f"{text} ({self.faults} so far)", throttle_duration_sec=_THROTTLE_S)

    def count_failure(self, fault: Exception, counts: FrameCounts) -> None:
        """Counts what the work on a frame raised, as a `LatestFrameWorker` tells it."""
        self.count_fault(str(fault) or type(fault).__name__)

    def set_problem(self, key: str, text: str, *, error: bool = False) -> None:
        """Says once that something lasts, and shows it in /diagnostics until it is cleared for that key.

        Args:
            key: what it is about.
            text: one line; empty clears it.
            error: whether nothing works while it lasts.
        """
        if not text:
            self.clear_problem(key)
        elif self.health.set_problem(key, text, error=error):
            if error:  # two lines, because rclpy allows one severity for each line of code that logs
                self.get_logger().error(text)
            else:
                self.get_logger().warning(text)

    def clear_problem(self, key: str) -> None:
        """Takes back what `set_problem` said."""
        self.health.clear_problem(key)

    def note_published(self, header: Header) -> None:
        """Counts an output for rate and age in /diagnostics."""
        stamp = stamp_ns(header)
        self.health.published((self.get_clock().now().nanoseconds - stamp) * 1e-6)
        self.trace("published", stamp)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Runs `setup`; where it fails, `teardown`."""
        return self._guard(self.setup, "inactive", undo=self.teardown)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Opens the publishers and runs `start`; where it fails, `stop`, and closes them."""
        super().on_activate(state)
        result = self._guard(self.start, "active", undo=self.stop)
        if result is not TransitionCallbackReturn.SUCCESS:
            super().on_deactivate(state)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Runs `stop`, tells the final counts, and closes the publishers."""
        result = self._guard(self.stop, "inactive")
        self.publish_status()
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Runs `teardown`."""
        return self._guard(self.teardown, "unconfigured")

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Runs `stop` and `teardown`, from whatever state."""
        self._guard(self.stop, "inactive")
        return self._guard(self.teardown, "finalized")

    def destroy_node(self) -> None:
        """Lets every ROS entity go, with the state machine that rclpy forgets: it would keep the node in discovery."""
        self._state_machine.destroy_when_not_in_use()
        super().destroy_node()

    def publish_status(self) -> None:
        """Publishes this node's entry of /diagnostics."""
        entry = self.health.entry(self.get_fully_qualified_name(), {"state": self._state, **self.status()})
        message = DiagnosticArray(status=[entry])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def _guard(
        self, step: Callable[[], None], next_state: str, *, undo: Callable[[], None] | None = None
    ) -> TransitionCallbackReturn:
        try:
            step()
        except Exception as e:  # noqa: BLE001 - rclpy would swallow it without a word
            known = isinstance(e, EmotionPerceptionError)
            self.get_logger().error(str(e) if known else f"{step.__name__} failed: {type(e).__name__}: {e}")
            if undo is not None:
                self._guard(undo, self._state)
            self.start_fault = e
            return TransitionCallbackReturn.FAILURE
        self._state = next_state
        return TransitionCallbackReturn.SUCCESS


def counts_status(counts: FrameCounts) -> dict[str, int]:
    """Returns what became of the frames, for `status`."""
    return {**vars(counts), "pending": counts.pending}


def run_node(make_node: Callable[[], PerceptionNode[Any]], args: list[str] | None = None) -> int:
    """Runs one node until SIGINT or SIGTERM; returns the exit code, as `run_nodes` does."""
    return run_nodes([make_node], args)


def run_nodes(makers: Sequence[Callable[[], PerceptionNode[Any]]], args: list[str] | None = None) -> int:
    """Runs nodes, each in a thread of its own, until SIGINT or SIGTERM.

    Args:
        makers: make the nodes. They are configured in this order and activated in the opposite one, so that who listens
            knows who speaks, and is there when he begins.
        args: the command line.

    Returns:
        The exit code: 0 after a signal, 1 after a fault at start, 78 where the configuration cannot work. Where the
        middleware does not let go, the process ends by SIGALRM, see `shutdown_watchdog`.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    nodes: list[PerceptionNode[Any]] = []
    try:
        for make in makers:
            nodes.append(make())
        return _run(nodes, stop)
    except ConfigurationError as e:
        rclpy.logging.get_logger("emotion_perception").error(str(e))
        return EXIT_CONFIGURATION
    finally:
        with shutdown_watchdog():
            for node in nodes:
                node.destroy_node()
            rclpy.shutdown()


def _run(nodes: list[PerceptionNode[Any]], stop: threading.Event) -> int:
    alone = len(nodes) == 1
    forward_core_log(nodes[0].get_logger() if alone else rclpy.logging.get_logger("emotion_perception"))
    if code := _start(nodes):
        stop.set()
    threads = [threading.Thread(target=_live, args=(node, stop)) for node in nodes[1:]]
    for thread in threads:
        thread.start()
    _live(nodes[0], stop)
    for thread in threads:
        thread.join()
    return code


def _start(nodes: list[PerceptionNode[Any]]) -> int:
    nodes = [node for node in nodes if node.autostart]
    transitions = [(node, node.trigger_configure) for node in nodes]
    transitions += [(node, node.trigger_activate) for node in reversed(nodes)]
    for node, transition in transitions:
        if transition() is not TransitionCallbackReturn.SUCCESS:
            return _exit_code(node.start_fault)
    return EXIT_OK


def _live(node: PerceptionNode[Any], stop: threading.Event) -> None:
    """Spins until told to stop, then lets everything go; what ends one node ends all."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while not stop.is_set() and rclpy.ok():
            _spin_once(node, executor)
    except ExternalShutdownException:
        pass
    finally:
        stop.set()
        executor.shutdown()
        node.on_shutdown(None)


def _spin_once(node: PerceptionNode[Any], executor: SingleThreadedExecutor) -> None:
    try:
        executor.spin_once(timeout_sec=_SPIN_S)
    except ExternalShutdownException:
        raise
    except Exception as e:  # noqa: BLE001 - a message that cannot be deserialized, or whatever else, costs itself only
        node.count_fault(f"{type(e).__name__}: {one_line(e)}")


def _exit_code(fault: Exception | None) -> int:
    bad_configuration = isinstance(fault, ConfigurationError | ModelFileError | ModelBundleError)
    return EXIT_CONFIGURATION if bad_configuration else EXIT_FAULT
