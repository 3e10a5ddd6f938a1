# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes a recording again with what was recognized beside its images: `faces`, `emotions` and `image_overlay`."""

import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer

from emotion_perception.bags.inference.frame_result import (
    DROPPED,
    PROCESSED,
    SKIPPED,
    FrameResult,
)
from emotion_perception.bags.io.images import camera_info_topic, deserialize, namespace_of
from emotion_perception.bags.io.messages import BAG_VERSION, CAMERA_INFO, COMPRESSED, EMOTIONS, FACES, typestore
from emotion_perception.bags.io.recorded_topic import Topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.images.image_codec import JPEG_FORMAT, bgr_to_jpeg
from emotion_perception.core.message_adapters import MessageBuilder
from emotion_perception.core.rendering.anonymize import FaceAnonymizer
from emotion_perception.core.rendering.overlay import draw_overlay
from emotion_perception.core.types import FrameCounts, ModelInfo, Status

_JPEG_QUALITY = 85
_OVERLAY = "image_overlay/compressed"


class ResultWriter:
    """A new recording: images and calibration as they were, results under the stamps and times of their images.

    Args:
        folder: made anew; one that an earlier evaluation wrote is replaced.
        recording: what is evaluated.
        topic: its image topic.
        identity: what gives the answers.
        detector: name of the detector.
        anonymize: how faces are hidden in the overlay; the images themselves then stay out.
    """

    def __init__(
        self,
        folder: Path,
        recording: Recording,
        topic: Topic,
        identity: ModelInfo,
        *,
        detector: str,
        anonymize: str,
    ) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._writer = Writer(folder, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()
        self._kind, self._identity, self._detector, self._mode = topic.type, identity, detector, anonymize
        self._hider = FaceAnonymizer()
        self._counts = dict.fromkeys((f"frames_{what}" for what in ("received", "processed", "dropped", "failed")), 0)
        space = namespace_of(topic.name)
        self._store = typestore()
        self._builder = MessageBuilder(self._store.types.__getitem__)
        self._topics = {
            "faces": self._add(f"{space}faces", FACES),
            "emotions": self._add(f"{space}emotions", EMOTIONS),
            "overlay": self._add(f"{space}{_OVERLAY}", COMPRESSED),
        }
        if anonymize == "none":
            self._topics["image"] = self._add(topic.name, topic.type)
        self._copy(recording, camera_info_topic(recording, topic))

    def __enter__(self) -> "ResultWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._writer.close()
        else:
            self._writer.abort()

    def write(self, outcome: FrameResult) -> None:
        """Writes a frame's image and, where it was processed, its results."""
        self._count(outcome.outcome)
        if "image" in self._topics:
            self._writer.write(self._topics["image"], outcome.received_ns, outcome.raw)
        if outcome.outcome != PROCESSED or outcome.image_bgr is None:
            return
        header = deserialize(outcome.raw, self._kind).header
        faces = [emotion.face for emotion in outcome.emotions]
        counts, detect_ms = FrameCounts(**self._counts), outcome.detect_ms or 0.0
        face_array = self._builder.face_array(
            header, faces, detector=self._detector, detect_ms=detect_ms, counts=counts
        )
        emotion_array = self._builder.emotion_array(
            header,
            outcome.emotions,
            status=Status.OK,
            faces_omitted=0,
            model=self._identity,
            detect_ms=detect_ms,
            classify_ms=outcome.classify_ms or 0.0,
            age_ms=outcome.latency_ms or 0.0,
            counts=counts,
        )
        self._send("faces", outcome, FACES, face_array)
        self._send("emotions", outcome, EMOTIONS, emotion_array)
        shown = self._hider.hide(outcome.image_bgr, faces, outcome.stamp_ns * 1e-9, self._mode)
        drawn = draw_overlay(shown, outcome.emotions, self._identity.labels, bars=True, landmarks=False)
        jpeg = np.frombuffer(bgr_to_jpeg(drawn, _JPEG_QUALITY), np.uint8)
        self._send("overlay", outcome, COMPRESSED, self._of(COMPRESSED)(header, JPEG_FORMAT, jpeg))

    def _count(self, outcome: str) -> None:
        """Counts as the detection node does: a frame that waited for the classifier in vain is dropped, too."""
        became = "processed" if outcome == PROCESSED else "dropped" if outcome in (DROPPED, SKIPPED) else "failed"
        self._counts["frames_received"] += 1
        self._counts[f"frames_{became}"] += 1

    def _add(self, topic: str, kind: str) -> Any:
        return self._writer.add_connection(topic, kind, typestore=self._store)

    def _copy(self, recording: Recording, name: str | None) -> None:
        """Copies the camera's calibration, where there is one."""
        if name is not None:
            connection = self._add(name, CAMERA_INFO)
            for entry in recording.messages([name]):
                self._writer.write(connection, entry.received_ns, entry.raw)

    def _send(self, name: str, outcome: FrameResult, kind: str, message: Any) -> None:
        self._writer.write(self._topics[name], outcome.received_ns, self._store.serialize_cdr(message, kind))

    def _of(self, kind: str) -> Any:
        return self._store.types[kind]
