# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a run of the nodes says of itself: results, latency, frame counts, status. For programs that watch one."""

import time
from collections import Counter
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.conversions import STATUSES, EmotionArray, FaceArray, counts_of, stamp_ns

_EVERY_ONE = QoSProfile(depth=300, reliability=ReliabilityPolicy.RELIABLE)  # ten seconds: the counts have to be exact


class ResultListener(Node):
    """Listens to `faces`, `emotions` and `/diagnostics`.

    Args:
        name: of the node.
        options: passed on to rclpy's Node.

    Attributes:
        face_arrays: FaceArrays so far.
        faces: faces in them.
        overlays: images of the overlay, where a subclass listens to them.
        labels: for each label, how many faces showed it.
        answers: for each status, how many EmotionArrays had it.
        latencies_ms: for each EmotionArray, arrival minus stamp.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._statuses: dict[str, dict[str, str]] = {}
        self._errors: dict[str, str] = {}
        self.face_arrays = self.faces = self.overlays = 0
        self._counts = FrameCounts()
        self.labels: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.latencies_ms: list[float] = []
        self._arrivals_s: list[float] = []
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_status, 50)
        self.create_subscription(FaceArray, "faces", self._on_faces, _EVERY_ONE)
        self.create_subscription(EmotionArray, "emotions", self._on_emotions, _EVERY_ONE)

    @property
    def emotions(self) -> int:
        """Faces classified so far."""
        return sum(self.labels.values())

    @property
    def fps(self) -> float:
        """EmotionArrays a second between the first and the last that arrived."""
        arrivals_s = self._arrivals_s
        return (len(arrivals_s) - 1) / (arrivals_s[-1] - arrivals_s[0]) if len(arrivals_s) > 1 else 0.0

    def latency_ms(self, percentile: float) -> float:
        """Returns a percentile of arrival minus stamp in milliseconds; 0 before anything arrived."""
        return float(np.percentile(self.latencies_ms, percentile)) if self.latencies_ms else 0.0

    def status(self, node: str) -> dict[str, str]:
        """Returns the last entry of /diagnostics of a node, empty before the first."""
        return next((values for name, values in self._statuses.items() if name.endswith("/" + node)), {})

    def error(self, node: str) -> str:
        """Returns what a node's last entry of /diagnostics calls an error, empty where it is none."""
        return next((line for name, line in self._errors.items() if name.endswith("/" + node)), "")

    def counts(self) -> FrameCounts:
        """Returns what the detection node said last of its frames, in a message or in /diagnostics."""
        values = self.status("face_detection_node")
        told = FrameCounts(*(int(values.get(name, 0)) for name in ("received", "processed", "dropped", "failed")))
        return max(told, self._counts, key=lambda counts: (counts.received, -counts.pending))

    def account(self) -> dict[str, int]:
        """Returns what became of the camera's frames."""
        counts, published = self.counts(), int(self.status("camera_node").get("frames_published", 0))
        return {
            "frames_published": published,
            "frames_received": counts.received,
            "frames_processed": counts.processed,
            "frames_dropped": counts.dropped,
            "frames_failed": counts.failed,
            "frames_lost_in_transport": published - counts.received,
        }

    def heard(self, message: EmotionArray, arrived_ns: int) -> None:
        """Gets every EmotionArray and the time of its arrival (ns, system clock)."""

    def _on_status(self, message: DiagnosticArray) -> None:
        for entry in message.status:
            self._statuses[entry.name] = {value.key: value.value for value in entry.values}
            self._errors[entry.name] = entry.message if entry.level == DiagnosticStatus.ERROR else ""

    def _on_faces(self, message: FaceArray) -> None:
        self.face_arrays += 1
        self._counts = counts_of(message)
        self.faces += len(message.faces)

    def _on_emotions(self, message: EmotionArray) -> None:
        arrived_ns = time.time_ns()
        self.latencies_ms.append((arrived_ns - stamp_ns(message.header)) * 1e-6)
        self._arrivals_s.append(time.monotonic())
        self.answers[STATUSES[message.status].lower()] += 1
        self.labels.update(face.label for face in message.faces)
        self.heard(message, arrived_ns)
