# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Collects the state of the graph: diagnostics, the log, nodes and topics."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Log
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message

from emotion_perception.ros.diagnostics import node_of_status
from emotion_perception.ros.viewer.camera_inputs import CameraInputs
from emotion_perception.web.graph import MAX_TOPICS, GraphState, LogLine, TopicView

_PERIOD_S = 1.0
_WARN, _ERROR = 30, 40
_MAX_TEXT = 64 * 1024  # bytes of a message that is read
_HIDDEN = ("/rosout", "/parameter_events", "/transition_event")
_LOG = QoSProfile(
    depth=100, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)  # also what was logged before


@dataclass(frozen=True)
class CameraTopics:
    """Full names of the topics of a camera and of the nodes that publish them."""

    images: str
    faces: str
    emotions: str
    overlay: str
    camera: str
    detection: str
    classifier: str
    drawing: str


class GraphWatch:
    """Subscribes to /diagnostics and /rosout, and looks at the graph once a second.

    Args:
        node: the subscriber.
        state: gets what was found.
        cameras: topics and inputs of each camera.
        record: gets each message of /diagnostics, serialized.
    """

    def __init__(
        self,
        node: Node,
        state: GraphState,
        cameras: Sequence[tuple[CameraTopics, CameraInputs]],
        record: Callable[[bytes], None],
    ) -> None:
        self._node, self._state, self._cameras, self._record = node, state, cameras, record
        self._looked_s = float("-inf")
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 50, raw=True)
        node.create_subscription(Log, "/rosout", self._on_log, _LOG, raw=True)

    def check(self) -> None:
        """Looks at the graph, once a second; to be called several times a second."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _PERIOD_S:
            return
        self._looked_s = now_s
        pairs = self._node.get_node_names_and_namespaces()
        names = [f"{namespace.rstrip('/')}/{name}" for name, namespace in pairs if not name.startswith("_")]
        self._state.set_graph(names, self._topics())

    def _topics(self) -> list[TopicView]:
        known = self._known()
        found = []
        pairs = [(name, kinds) for name, kinds in self._node.get_topic_names_and_types() if not name.endswith(_HIDDEN)]
        pairs.sort(key=lambda pair: (pair[0] not in known, pair[0]))
        for name, kinds in pairs[:MAX_TOPICS]:
            rate, age, drops = known.get(name, ("", "", ""))
            publishers, subscribers = self._node.count_publishers(name), self._node.count_subscribers(name)
            found.append(TopicView(name, ", ".join(kinds), publishers, subscribers, rate, age, drops))
        return found

    def _known(self) -> dict[str, tuple[str, str, str]]:
        """Returns rate, age and drops of the topics of the cameras, from the diagnostics of their publishers."""
        known = {}
        now_s = time.monotonic()
        for topics, inputs in self._cameras:
            known[topics.images] = self._reported(topics.camera)
            known[topics.faces] = self._reported(topics.detection)
            known[topics.overlay] = self._reported(topics.drawing)
            age = "" if inputs.age_ms != inputs.age_ms else f"{inputs.age_ms:.1f}"
            known[topics.emotions] = f"{inputs.rate.hz(now_s):.1f}", age, str(inputs.dropped)
        return known

    def _reported(self, name: str) -> tuple[str, str, str]:
        node = self._state.node(name)
        if node is None or node.state == "gone":
            return "", "", ""
        age = node.value("age_ms")
        return node.value("rate_hz"), "" if age == "nan" else age, node.value("dropped")

    def _on_diagnostics(self, raw: bytes) -> None:
        if len(raw) > _MAX_TEXT:
            return
        self._record(raw)
        for entry in deserialize_message(raw, DiagnosticArray).status:
            values = {value.key: value.value for value in entry.values}
            self._state.report(node_of_status(entry.name), entry.level[0], entry.message, values)

    def _on_log(self, raw: bytes) -> None:
        if len(raw) > _MAX_TEXT:
            return
        message = deserialize_message(raw, Log)
        if message.level >= _WARN:
            level = "ERROR" if message.level >= _ERROR else "WARN"
            time_s = message.stamp.sec + message.stamp.nanosec * 1e-9
            self._state.log(LogLine(time_s, level, message.name, message.msg))
