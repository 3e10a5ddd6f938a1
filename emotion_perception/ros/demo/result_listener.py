# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Collects results, latencies, frame counts and diagnostics of running nodes."""

import time
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from emotion_perception.core.types import FrameCounts, Status
from emotion_perception.ros.conversions import EmotionArray, FaceArray, counts_of, stamp_ns
from emotion_perception.ros.diagnostics import node_of_status
from emotion_perception.ros.node_options import NodeOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

_MAX_STATUSES, _MAX_DIGITS = 1000, 18
_DEEP_QUEUE = QoSProfile(depth=300, reliability=ReliabilityPolicy.RELIABLE)  # ten seconds: the counts have to be exact


class ResultListener(Node):
    """Subscribes to `faces`, `emotions` and `/diagnostics`.

    Args:
        name: of the node.
        options: see `NodeOptions`.

    Attributes:
        face_arrays: number of FaceArrays.
        faces: number of faces in them.
        overlays: number of overlay images, if a subclass subscribes to them.
        labels: number of faces by label.
        statuses: number of EmotionArrays by status.
        latencies_ms: arrival minus stamp of each EmotionArray.
    """

    def __init__(self, name: str, **options: "Unpack[NodeOptions]") -> None:
        super().__init__(name, **options)
        self._prefix = self.get_namespace().rstrip("/")  # also known when the node has been destroyed
        self._diagnostics: dict[str, dict[str, str]] = {}
        self._errors: dict[str, str] = {}
        self._reported_s: dict[str, float] = {}
        self.face_arrays = self.faces = self.overlays = 0
        self._counts = FrameCounts()
        self.labels: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.latencies_ms: list[float] = []
        self._arrivals_s: list[float] = []
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_status, 50)
        self.create_subscription(FaceArray, "faces", self._on_faces, _DEEP_QUEUE)
        self.create_subscription(EmotionArray, "emotions", self._count_emotions, _DEEP_QUEUE)

    @property
    def emotions(self) -> int:
        """Number of classified faces."""
        return sum(self.labels.values())

    @property
    def fps(self) -> float:
        """EmotionArrays per second between the first and the last arrival."""
        arrivals_s = self._arrivals_s
        return (len(arrivals_s) - 1) / (arrivals_s[-1] - arrivals_s[0]) if len(arrivals_s) > 1 else 0.0

    def latency_ms(self, percentile: float) -> float:
        """Returns a percentile of arrival minus stamp in milliseconds; 0 before anything arrived."""
        return float(np.percentile(self.latencies_ms, percentile)) if self.latencies_ms else 0.0

    def status(self, node: str) -> dict[str, str]:
        """Returns the last entry of /diagnostics of a node of this namespace, empty before the first."""
        return self._diagnostics.get(self._full_name(node), {})

    def error(self, node: str) -> str:
        """Returns the message of a node's last entry of /diagnostics if its level is ERROR, else an empty string."""
        return self._errors.get(self._full_name(node), "")

    def reported_s(self, node: str) -> float | None:
        """Returns the monotonic time at which a node's last entry of /diagnostics arrived, None before the first."""
        return self._reported_s.get(self._full_name(node))

    def count(self, node: str, name: str) -> int:
        """Returns a number of a node's last entry of /diagnostics; 0 if it has none."""
        text = self.status(node).get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else 0

    def counts(self) -> FrameCounts:
        """Returns the newest frame counts of the detection node, from a message or from /diagnostics."""
        names = ("received", "processed", "dropped", "failed")
        reported = FrameCounts(*(self.count("face_detection_node", name) for name in names))
        return max(reported, self._counts, key=lambda counts: (counts.received, -counts.pending))

    def account(self) -> dict[str, int]:
        """Returns the number of frames that the camera published, and how each of them ended.

        What was received was published, which a report of the camera may be too old to say: they come once a second.
        """
        counts = self.counts()
        published = max(self.count("camera_node", "frames_published"), counts.received)
        return {
            "frames_published": published,
            "frames_received": counts.received,
            "frames_processed": counts.processed,
            "frames_dropped": counts.dropped,
            "frames_failed": counts.failed,
            "frames_lost_in_transport": published - counts.received,
        }

    def on_emotions(self, message: EmotionArray, arrived_ns: int) -> None:
        """Called with every EmotionArray and its arrival time in ns of the system clock; for subclasses."""

    def _on_status(self, message: DiagnosticArray) -> None:
        for entry in message.status:
            name = node_of_status(entry.name)
            if name not in self._diagnostics and len(self._diagnostics) >= _MAX_STATUSES:
                continue
            self._reported_s[name] = time.monotonic()
            self._diagnostics[name] = {value.key: value.value for value in entry.values}
            self._errors[name] = entry.message if entry.level == DiagnosticStatus.ERROR else ""

    def _full_name(self, node: str) -> str:
        return f"{self._prefix}/{node}"

    def _on_faces(self, message: FaceArray) -> None:
        self.face_arrays += 1
        self._counts = counts_of(message)
        self.faces += len(message.faces)

    def _count_emotions(self, message: EmotionArray) -> None:
        arrived_ns = time.time_ns()
        self.latencies_ms.append((arrived_ns - stamp_ns(message.header)) * 1e-6)
        self._arrivals_s.append(time.monotonic())
        self.statuses[Status(message.status).name.lower()] += 1
        self.labels.update(face.label for face in message.faces if face.label)  # empty before the first prediction
        self.on_emotions(message, arrived_ns)
