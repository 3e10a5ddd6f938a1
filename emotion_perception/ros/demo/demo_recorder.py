# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes the files of `make demo`: a video, an image, a table and a summary."""

import csv
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
from sensor_msgs.msg import Image

from emotion_perception.core.regular_files import opencv_name
from emotion_perception.core.rendering import VideoWriter
from emotion_perception.ros.conversions import EmotionArray, stamp_ns
from emotion_perception.ros.demo.result_listener import ResultListener
from emotion_perception.ros.node_options import NodeOptions
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.transport.image_messages import image_to_bgr

if TYPE_CHECKING:
    from typing_extensions import Unpack

_COLUMNS = ("stamp", "track_id", "x", "y", "width", "height", "label", "score", "uncertain")
_TIMES = ("detect_ms", "classify_ms", "age_ms", "latency_ms")
_MAX_SCORES = 64  # emotions whose overlay may still arrive


class DemoRecorder(ResultListener):
    """Records the results of the four nodes.

    Args:
        out: folder for emotions.csv, overlay.webm, overlay.png and summary.json.
        options: see `NodeOptions`.
    """

    def __init__(self, out: Path, **options: "Unpack[NodeOptions]") -> None:
        super().__init__("demo_recorder", **options)
        self._out = out
        self._table = open(out / "emotions.csv", "w", newline="", encoding="utf-8")  # noqa: SIM115 - closed in close()
        self._rows: Any = None
        self._video = VideoWriter(out / "overlay.webm") if importlib.util.find_spec("av") else None
        if self._video is None:
            self.get_logger().warning("no overlay.webm, because PyAV is not installed (pip install av)")
        self._scores: dict[int, float] = {}
        self._best_score = -1.0
        self.create_subscription(Image, "image_overlay", self._on_overlay, RESULTS)

    def close(self, **more: Any) -> dict[str, Any]:
        """Completes the files and writes summary.json; returns its content, to which `more` is added."""
        self._table.close()
        if self._video is not None:
            self._video.close()
        summary = {**self._summary(), **more}
        (self._out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        return summary

    def _summary(self) -> dict[str, Any]:
        classifier = self.status("emotion_classifier_node")
        return {
            **self.account(),
            "faces": self.faces,
            "emotions": self.emotions,
            "statuses": dict(self.statuses),
            "labels": dict(self.labels.most_common()),
            "latency_ms": {"p50": round(self.latency_ms(50), 2), "p99": round(self.latency_ms(99), 2)},
            "fps": round(self.fps, 2),
            "model": classifier.get("model", ""),
            "device": classifier.get("device", ""),
            "video_frames": self._video.written if self._video else 0,
            "video_frames_dropped": self._video.dropped if self._video else 0,
        }

    def on_emotions(self, message: EmotionArray, arrived_ns: int) -> None:
        """Writes a row for each face."""
        stamp = stamp_ns(message.header)
        self._scores[stamp] = max((face.score for face in message.faces), default=0.0)
        while len(self._scores) > _MAX_SCORES:
            del self._scores[next(iter(self._scores))]
        self._write_rows(message, stamp, (arrived_ns - stamp) * 1e-6)

    def _write_rows(self, message: EmotionArray, stamp: int, latency_ms: float) -> None:
        if self._rows is None:
            self._rows = csv.writer(self._table)
            self._rows.writerow([*_COLUMNS, *message.labels, *_TIMES])
        ages = [f"{ms:.2f}" for ms in (message.detect_ms, message.classify_ms, message.age_ms, latency_ms)]
        for face in message.faces:
            roi = face.face.roi
            seconds = f"{stamp // 1_000_000_000}.{stamp % 1_000_000_000:09d}"
            region = (roi.x_offset, roi.y_offset, roi.width, roi.height)
            shown = (face.label, f"{face.score:.4f}", int(face.uncertain))
            probabilities = [f"{p:.6f}" for p in face.probabilities] or [""] * len(message.labels)  # not classified
            self._rows.writerow([seconds, face.face.track_id, *region, *shown, *probabilities, *ages])

    def _on_overlay(self, message: Image) -> None:
        self.overlays += 1
        image, stamp = image_to_bgr(message), stamp_ns(message.header)
        if self._video is not None:
            self._video.write(image, stamp)
        score = self._scores.get(stamp, 0.0)
        if score > self._best_score:
            self._best_score = score
            cv2.imwrite(opencv_name(self._out / "overlay.png"), image)
