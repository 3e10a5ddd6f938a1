"""What `make demo` keeps of a run: a video, a picture, a table and a summary."""

import csv
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from emotion_perception.core.types import FrameCounts
from emotion_perception.core.video import VideoWriter
from emotion_perception.ros.conversions import STATUSES, EmotionArray, FaceArray, counts_of, stamp_ns
from emotion_perception.ros.images import image_to_bgr
from emotion_perception.ros.qos import RESULTS

_COLUMNS = ("stamp", "id", "x", "y", "width", "height", "label", "score", "uncertain")
_AGES = ("detect_ms", "classify_ms", "age_ms", "latency_ms")
_EVERY_ONE = QoSProfile(depth=300, reliability=ReliabilityPolicy.RELIABLE)  # ten seconds: the counts have to be exact
_REMEMBERED = 64  # emotions whose overlay may still come


class DemoRecorder(Node):
    """Listens to all that the four nodes say.

    Args:
        out: folder for emotions.csv, overlay.mp4, overlay.png and summary.json; made if absent.
    """

    def __init__(self, out: Path, **options: Any) -> None:
        super().__init__("demo_recorder", **options)
        out.mkdir(parents=True, exist_ok=True)
        for name in ("overlay.mp4", "overlay.png", "summary.json"):  # of an earlier run
            (out / name).unlink(missing_ok=True)
        self._out = out
        self._table = open(out / "emotions.csv", "w", newline="", encoding="utf-8")  # noqa: SIM115 - closed in close()
        self._rows: Any = None
        self._video = VideoWriter(out / "overlay.mp4")
        self._scores: dict[int, float] = {}
        self._best_score = -1.0
        self.statuses: dict[str, dict[str, str]] = {}
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
        self.create_subscription(Image, "image_overlay", self._on_overlay, RESULTS)

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
        return next((values for name, values in self.statuses.items() if name.endswith("/" + node)), {})

    def error(self, node: str) -> str:
        """Returns what a node's last entry of /diagnostics calls an error, empty where it is none."""
        return next((line for name, line in self._errors.items() if name.endswith("/" + node)), "")

    def counts(self) -> FrameCounts:
        """Returns what the detection node said last of its frames, in a message or in /diagnostics."""
        values = self.status("face_detection_node")
        told = FrameCounts(*(int(values.get(name, 0)) for name in ("received", "processed", "dropped", "failed")))
        return max(told, self._counts, key=lambda counts: (counts.received, -counts.pending))

    def close(self, **more: Any) -> dict[str, Any]:
        """Ends the files, writes summary.json and returns its content; `more` is added to it."""
        self._table.close()
        self._video.close()
        summary = {**self._summary(), **more}
        (self._out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        return summary

    def _summary(self) -> dict[str, Any]:
        counts, published = self.counts(), int(self.status("camera_node").get("frames_published", 0))
        classifier = self.status("emotion_classifier_node")
        return {
            "frames_published": published,
            "frames_received": counts.received,
            "frames_processed": counts.processed,
            "frames_dropped": counts.dropped,
            "frames_failed": counts.failed,
            "frames_lost_in_transport": published - counts.received,
            "faces": self.faces,
            "emotions": self.emotions,
            "answers": dict(self.answers),
            "labels": dict(self.labels.most_common()),
            "latency_ms": {"p50": round(self.latency_ms(50), 2), "p99": round(self.latency_ms(99), 2)},
            "fps": round(self.fps, 2),
            "model": classifier.get("model", ""),
            "device": classifier.get("device", ""),
            "video_frames": self._video.written,
            "video_frames_left_out": self._video.left_out,
        }

    def _on_status(self, message: DiagnosticArray) -> None:
        for entry in message.status:
            self.statuses[entry.name] = {value.key: value.value for value in entry.values}
            self._errors[entry.name] = entry.message if entry.level == DiagnosticStatus.ERROR else ""

    def _on_faces(self, message: FaceArray) -> None:
        self.face_arrays += 1
        self._counts = counts_of(message)
        self.faces += len(message.faces)

    def _on_emotions(self, message: EmotionArray) -> None:
        arrived_ns, stamp = time.time_ns(), stamp_ns(message.header)
        latency_ms = (arrived_ns - stamp) * 1e-6
        self.latencies_ms.append(latency_ms)
        self._arrivals_s.append(time.monotonic())
        self.answers[STATUSES[message.status].lower()] += 1
        self._scores[stamp] = max((face.score for face in message.faces), default=0.0)
        while len(self._scores) > _REMEMBERED:
            del self._scores[next(iter(self._scores))]
        self._write_rows(message, stamp, latency_ms)

    def _write_rows(self, message: EmotionArray, stamp: int, latency_ms: float) -> None:
        if self._rows is None:
            self._rows = csv.writer(self._table)
            self._rows.writerow([*_COLUMNS, *message.labels, *_AGES])
        ages = [f"{ms:.2f}" for ms in (message.detect_ms, message.classify_ms, message.age_ms, latency_ms)]
        for face in message.faces:
            self.labels[face.label] += 1
            roi = face.face.roi
            seconds = f"{stamp // 1_000_000_000}.{stamp % 1_000_000_000:09d}"
            region = (roi.x_offset, roi.y_offset, roi.width, roi.height)
            shown = (face.label, f"{face.score:.4f}", int(face.uncertain))
            probabilities = [f"{p:.6f}" for p in face.probabilities]
            self._rows.writerow([seconds, face.face.id, *region, *shown, *probabilities, *ages])

    def _on_overlay(self, message: Image) -> None:
        self.overlays += 1
        picture, stamp = image_to_bgr(message), stamp_ns(message.header)
        self._video.write(picture, stamp)
        score = self._scores.get(stamp, 0.0)
        if score > self._best_score:
            self._best_score = score
            cv2.imwrite(str(self._out / "overlay.png"), picture)
