# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The base of the four perception nodes: parameters, lifecycle, diagnostics."""

import gc
import platform
from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.service import Service
from rclpy.timer import Timer
from std_msgs.msg import Header

from emotion_perception.core.errors import EmotionPerceptionError, EncodingError, clipped, one_line, refused_path
from emotion_perception.core.printable import printable
from emotion_perception.core.sync import WorkLoad
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.answered_services import always_answered
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.diagnostics import NodeDiagnostics, status_name
from emotion_perception.ros.intra_process import IntraProcessTopics
from emotion_perception.ros.node_options import NodeOptions
from emotion_perception.ros.parameters import (
    Config,
    Parameters,
    qos_override_names,
    refuse_unknown_parameters,
    unknown_parameter,
)
from emotion_perception.ros.tracing import Tracer

if TYPE_CHECKING:
    from typing_extensions import Unpack

STEADY_CLOCK = Clock(clock_type=ClockType.STEADY_TIME)
_STATUS_PERIOD_S = 1.0
_THROTTLE_S = 5.0
NO_CLOCK = "use_sim_time is set, but the time is 0: nothing has come on /clock"


def is_without_clock(node: Node) -> bool:
    """Returns whether a node is in the state of `NO_CLOCK`."""
    clock = node.get_clock()
    return clock.ros_time_is_active and clock.now().nanoseconds == 0


class Behavior:
    """The work of a configured node; this base class, used while a node is unconfigured, does nothing.

    `PerceptionNode.configure` creates it, and cleanup releases it.
    """

    def activate(self, resources: ExitStack) -> None:
        """Starts the work.

        Args:
            resources: this method registers callbacks here that stop what it has started. They are called by
                deactivate, last registered first, and if this method raises.
        """

    def status(self) -> dict[str, object]:
        """Returns the entries of /diagnostics beside those that every node has."""
        return {}


class PerceptionNode(LifecycleNode, Generic[Config]):
    """A lifecycle node with a typed configuration, counted faults and an entry in /diagnostics once a second.

    A subclass overrides `configure`. An exception in `configure` or `Behavior.activate` is logged in one line and fails
    the transition, and the callbacks that were registered by then are called.

    Args:
        name: node name.
        config_type: the dataclass whose fields are the node's parameters.
        intra_process: topics shared with other nodes of the process; None for a node that is alone.
        foreign_parameters: names of parameters of other nodes of the process, which the command line gives to all.
        options: see `NodeOptions`.

    Raises:
        ConfigurationError: a parameter has an invalid value, or the node does not have it.

    Attributes:
        autostart: whether the program configures and activates the node.
        component: what its entry of /diagnostics is of, see `status_name`.
        diagnostics: faults, problems and rates of the node.
        intra_process: as given, or topics of its own.
        qos_parameters: names of the parameters of `qos_overrides` that the node may have.
        transition_error: the exception that failed the last transition, None before.
        trace: marks when a frame passes a point, see `Tracer.mark`.
    """

    component: ClassVar[str] = "node"

    def __init__(
        self,
        name: str,
        config_type: type[Config],
        *,
        intra_process: IntraProcessTopics | None = None,
        foreign_parameters: Collection[str] = (),
        **options: "Unpack[NodeOptions]",
    ) -> None:
        self._tracer = Tracer(name)  # before all that can fail: Kilted's context destroys half-made nodes, too
        self.trace = self._tracer.mark
        super().__init__(name, **options)
        self.intra_process = intra_process or IntraProcessTopics()
        self._parameter_values = Parameters(self, config_type)
        autostart = ParameterDescriptor(description="configure and activate at start", read_only=True)
        self.autostart: bool = self.declare_parameter("autostart", True, autostart).value
        topics = ("image_raw", "camera_info", *getattr(self.config, "image_topics", ()))
        self.qos_parameters = qos_override_names(self, topics)
        refuse_unknown_parameters(self, foreign=foreign_parameters, overrides=self.qos_parameters)
        self._state = "unconfigured"
        self._behavior = Behavior()
        self._configured, self._active = ExitStack(), ExitStack()
        self.transition_error: Exception | None = None
        self.diagnostics = NodeDiagnostics()
        self._loads: dict[str, WorkLoad] = {}
        self._refused_encodings: dict[str, str] = {}
        self._diagnostics_publisher = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_steady_timer(_STATUS_PERIOD_S, self.publish_status)
        for service in self.services:
            service.callback = self.always_answered(service)

    @property
    def config(self) -> Config:
        """The present parameters, an immutable value that is replaced as a whole when one of them is set."""
        return self._parameter_values.value

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Sets parameters, as rclpy does; the refusal of one that the node does not have names it."""
        return unknown_parameter(self, parameter_list) or super().set_parameters_atomically(parameter_list)

    @property
    def faults(self) -> int:
        """How many frames or faces were lost so far."""
        return self.diagnostics.faults

    @property
    def hardware_id(self) -> str:
        """The device that the node depends on, for /diagnostics; here the name of the computer."""
        return platform.node()

    def create_steady_timer(self, period_s: float, callback: Callable[[], None]) -> Timer:
        """Returns a timer on a steady clock, which runs without `/clock` and is not affected by its jumps."""
        return self.create_timer(period_s, callback, clock=STEADY_CLOCK)

    def configure(self, resources: ExitStack) -> Behavior:
        """Creates the publishers and collaborators; returns the behavior that activate starts.

        Args:
            resources: this method registers callbacks here that release what it has created. They are called by
                cleanup, last registered first, and if this method raises.
        """
        return Behavior()

    def status(self) -> dict[str, object]:
        """Returns the entries of /diagnostics of `Behavior.status`; empty while the node is not configured."""
        return self._behavior.status()

    def count_fault(self, text: str) -> None:
        """Counts a fault that cost one frame or face; logs at most one every five seconds."""
        text = _shown(text)
        self.diagnostics.fault(text)
        self._log_fault(text)

    def count_failed_frame(self, stream: str, text: str) -> None:
        """Counts a fault that cost a whole frame of a stream, as `count_fault`; three in a row are an ERROR."""
        text = _shown(text)
        self.diagnostics.frame_failed(stream, text)
        self._log_fault(text)

    def count_failure(self, stream: str, fault: Exception, counts: FrameCounts | None = None) -> None:
        """Counts an exception that the work on a frame raised; with a stream `on_failure` of a `LatestFrameWorker`.

        An encoding that is not taken is logged once for a stream, not for each of its images.
        """
        text = _shown(str(fault) or type(fault).__name__)
        if not isinstance(fault, EncodingError):
            self.count_failed_frame(stream, text)
            return
        self.diagnostics.frame_failed(stream, text)
        is_new = self._refused_encodings.get(stream) != text
        if is_new and self.get_logger().error(text, throttle_duration_sec=_THROTTLE_S):  # it returns whether it logged
            self._refused_encodings[stream] = text

    def set_problem(self, key: str, text: str, *, error: bool = False) -> None:
        """Shows a lasting problem in /diagnostics until it is cleared, and logs it when it is new or has changed.

        At most five times in ten seconds: what others publish may come and go with every message.

        Args:
            key: identifies the problem.
            text: one line, shown without control characters; empty clears the problem.
            error: True if nothing works while the problem lasts.
        """
        if not text:
            self.clear_problem(key)
            return
        text = _shown(text)
        if self.diagnostics.set_problem(key, text, error=error):
            if error:  # two lines, because rclpy allows one severity for each line of code that logs
                self.get_logger().error(text)
            else:
                self.get_logger().warning(text)

    def clear_problem(self, key: str) -> None:
        """Clears a problem that `set_problem` has set."""
        self.diagnostics.clear_problem(key)

    def show_load(self, stream: str, load: WorkLoad, resources: ExitStack) -> None:
        """Shows in /diagnostics how long the frames of a stream take, as a problem if that is too long.

        Args:
            stream: what the frames belong to, e.g. an image topic.
            load: of the worker.
            resources: ends it.
        """
        self._loads[stream] = load
        resources.callback(self.clear_problem, f"load of {stream}")
        resources.callback(self._loads.pop, stream)

    def note_published(self, header: Header) -> None:
        """Counts an output for rate and age in /diagnostics."""
        stamp = stamp_ns(header)
        self.diagnostics.published((self.get_clock().now().nanoseconds - stamp) * 1e-6)
        self.trace("published", stamp)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Calls `configure`."""
        return self._guard("configure", self._configure, "inactive")

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Activates the publishers, then the behavior."""
        super().on_activate(state)
        result = self._guard("activate", self._activate, "active")
        if result is not TransitionCallbackReturn.SUCCESS:
            super().on_deactivate(state)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Ends the work, publishes the final counts, then deactivates the publishers."""
        result = self._guard("deactivate", self._active.close, "inactive")
        self.publish_status()
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Releases what `configure` has created, and its memory."""
        result = self._guard("cleanup", self._clean_up, "unconfigured")
        gc.collect()  # behavior and worker refer to each other, and Python itself would keep several models for minutes
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Ends the work and releases everything, from any state."""
        self._guard("deactivate", self._active.close, "inactive")
        return self._guard("cleanup", self._clean_up, "finalized")

    def destroy_node(self) -> None:
        """Destroys every ROS entity, and the state machine: rclpy keeps it, and the node would stay in the graph."""
        self._tracer.close()
        self._state_machine.destroy_when_not_in_use()
        super().destroy_node()

    def publish_status(self) -> None:
        """Publishes this node's entry of /diagnostics."""
        self.set_problem("clock", NO_CLOCK if is_without_clock(self) else "")
        values = {"state": self._state, **self.status(), **self._load_status()}
        name = status_name(self.get_fully_qualified_name(), self.component)
        entry = self.diagnostics.entry(name, self.hardware_id, values)
        message = DiagnosticArray(status=[entry])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics_publisher.publish(message)

    def _load_status(self) -> dict[str, str]:
        """Sets or clears the problem of each stream; returns the times of its frames."""
        status: dict[str, str] = {}
        for stream, load in list(self._loads.items()):
            problem, prefix = load.problem(), f"{stream} " if len(self._loads) > 1 else ""
            self.set_problem(f"load of {stream}", problem and f"{prefix}{problem}")
            status |= {f"{prefix}{name}": f"{value:.1f}" for name, value in load.times_ms().items()}
        return status

    def _log_fault(self, text: str) -> None:
        self.get_logger().warning(f"{text} ({self.faults} so far)", throttle_duration_sec=_THROTTLE_S)

    def _configure(self) -> None:
        with ExitStack() as resources:
            self._behavior = self.configure(resources)
            self._configured = resources.pop_all()

    def _activate(self) -> None:
        self._refused_encodings.clear()
        with ExitStack() as resources:
            self._behavior.activate(resources)
            self._active = resources.pop_all()

    def _clean_up(self) -> None:
        self._behavior = Behavior()
        self._configured.close()

    def _guard(self, transition: str, step: Callable[[], None], next_state: str) -> TransitionCallbackReturn:
        try:
            step()
        except Exception as e:  # noqa: BLE001 - rclpy would discard it without logging
            known = str(e) if isinstance(e, EmotionPerceptionError) else refused_path(e)
            self.get_logger().error(known or f"{transition} failed: {type(e).__name__}: {one_line(e)}")
            self.transition_error = e
            return TransitionCallbackReturn.FAILURE
        self._state = next_state
        return TransitionCallbackReturn.SUCCESS

    def always_answered(self, service: Service) -> Callable[[Any, Any], Any]:
        """Returns the service's callback, wrapped by `answered_services.always_answered`."""
        return always_answered(self, service, lambda: f" in state {self._state}")


def _shown(text: str) -> str:
    """Returns a text, which may have strings of somebody else in it, as one short line for the log and /diagnostics."""
    return printable(clipped(text))


def counts_status(counts: FrameCounts) -> dict[str, int]:
    """Returns the frame counts as entries of `Behavior.status`."""
    return {**vars(counts), "pending": counts.pending}
