# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes a recording again, with all that viewers of the nodes show beside its images."""

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys.store import Typestore

from emotion_perception.bags.inference.frame_result import DROPPED, PROCESSED, SKIPPED, FrameResult
from emotion_perception.bags.io.images import camera_info_topic, deserialize, namespace_of
from emotion_perception.bags.io.messages import (
    BAG_VERSION,
    CAMERA_INFO,
    COMPRESSED,
    DIAGNOSTICS,
    EMOTIONS,
    FACES,
    IMAGE_ANNOTATIONS,
    NS,
    annotation_typestore,
    typestore,
)
from emotion_perception.bags.io.recorded_topic import Topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import RecordingError
from emotion_perception.core.images import JPEG_FORMAT, bgr_to_jpeg
from emotion_perception.core.message_adapters import MessageBuilder
from emotion_perception.core.rendering import FaceAnonymizer, ImageAnnotationsBuilder, OverlayOptions, draw_overlay
from emotion_perception.core.types import FrameCounts, ModelInfo, Status

_JPEG_QUALITY = 85
_RESULTS = {
    "faces": FACES,
    "emotions": EMOTIONS,
    "image_overlay/compressed": COMPRESSED,
    "image_annotations": IMAGE_ANNOTATIONS,
}
_DIAGNOSTICS = "/diagnostics"


class ResultWriter:
    """Writes a recording: images and camera_info as recorded, results with the stamp and time of their image.

    The results are `faces`, `emotions`, `image_overlay/compressed`, `image_annotations`, and the counts of frames once
    a second in `/diagnostics`.

    Args:
        folder: the recording to create.
        recording: the recording that is evaluated.
        topic: its image topic.
        model: the model that predicts the emotions.
        detector: name of the detector.
        anonymize: how faces are hidden in the overlay; the images themselves are then left out.

    Raises:
        RecordingError: the image topic has the name of a result.
    """

    def __init__(
        self,
        folder: Path,
        recording: Recording,
        topic: Topic,
        model: ModelInfo,
        *,
        detector: str,
        anonymize: str,
    ) -> None:
        namespace = namespace_of(topic.name)
        results = {f"{namespace}{name}": kind for name, kind in _RESULTS.items()} | {_DIAGNOSTICS: DIAGNOSTICS}
        if anonymize == "none" and topic.name in results:
            raise RecordingError(
                f"{recording.path}: --write-bag writes results on {topic.name}, the topic of the images"
            )
        self._writer = Writer(folder, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()
        self._image_type, self._model, self._detector, self._anonymize = topic.type, model, detector, anonymize
        self._anonymizer = FaceAnonymizer()
        self._counts = FrameCounts()
        self._store = typestore()
        self._builder = MessageBuilder(self._store.types.__getitem__)
        self._annotations_builder = ImageAnnotationsBuilder(annotation_typestore().types.__getitem__)
        connections = (self._add(name, kind) for name, kind in results.items())
        self._faces, self._emotions, self._overlay, self._annotations, self._diagnostics = connections
        self._next_diagnostics_ns = 0
        self._images = self._add(topic.name, topic.type) if anonymize == "none" else None
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

    def write(self, result: FrameResult) -> None:
        """Writes the image of a frame and, if the frame was processed, its results."""
        self._count(result.status)
        if self._images is not None:
            self._writer.write(self._images, result.received_ns, result.raw)
        if result.status != PROCESSED or result.image_bgr is None:
            return
        header, detect_ms = deserialize(result.raw, self._image_type).header, result.detect_ms or 0.0
        faces = [emotion.face for emotion in result.emotions]
        face_array = self._builder.face_array(
            header, faces, detector=self._detector, detect_ms=detect_ms, counts=self._counts
        )
        emotion_array = self._builder.emotion_array(
            header,
            result.emotions,
            status=Status.OK,
            faces_omitted=0,
            model=self._model,
            detect_ms=detect_ms,
            classify_ms=result.classify_ms or 0.0,
            age_ms=result.latency_ms or 0.0,
            counts=self._counts,
        )
        anonymized = self._anonymizer.hide(result.image_bgr, faces, result.stamp_ns * 1e-9, self._anonymize)
        overlay = draw_overlay(anonymized, result.emotions, self._model.labels, OverlayOptions())
        jpeg = np.frombuffer(bgr_to_jpeg(overlay, _JPEG_QUALITY), np.uint8)
        compressed = self._store.types[COMPRESSED](header, JPEG_FORMAT, jpeg)
        self._write(self._faces, result, face_array)
        self._write(self._emotions, result, emotion_array)
        self._write(self._overlay, result, compressed)
        self._write(self._annotations, result, self._annotations_builder.build(header, result.emotions))
        if result.received_ns >= self._next_diagnostics_ns:
            self._next_diagnostics_ns = result.received_ns + NS
            self._write(self._diagnostics, result, self._diagnostics_of(header, result))

    def _diagnostics_of(self, header: Any, result: FrameResult) -> Any:
        """Returns the counts so far and the times of a frame as a `DiagnosticArray`."""
        types, counts = self._store.types, self._counts
        lost = counts.dropped + counts.failed
        values = {
            "frames_received": counts.received,
            "frames_processed": counts.processed,
            "frames_dropped": counts.dropped,
            "frames_failed": counts.failed,
            "detect_ms": f"{result.detect_ms or 0.0:.1f}",
            "classify_ms": f"{result.classify_ms or 0.0:.1f}",
            "model": self._model.model,
        }
        status = types["diagnostic_msgs/msg/DiagnosticStatus"](
            level=int(lost > 0),  # OK or WARN
            name="evaluate-bag: frames",
            message=f"{counts.processed} of {counts.received} frames processed",
            hardware_id=self._model.device,
            values=[types["diagnostic_msgs/msg/KeyValue"](key, str(value)) for key, value in values.items()],
        )
        return types[DIAGNOSTICS](header, [status])

    def _count(self, status: str) -> None:
        """Counts a frame as the detection node does; a frame that the classifier skipped counts as dropped."""
        counts = replace(self._counts, received=self._counts.received + 1)
        if status == PROCESSED:
            self._counts = replace(counts, processed=counts.processed + 1)
        elif status in (DROPPED, SKIPPED):
            self._counts = replace(counts, dropped=counts.dropped + 1)
        else:
            self._counts = replace(counts, failed=counts.failed + 1)

    def _add(self, topic: str, message_type: str) -> Any:
        return self._writer.add_connection(topic, message_type, typestore=_store_of(message_type))

    def _copy(self, recording: Recording, topic: str | None) -> None:
        """Copies the messages of the camera_info topic, if there is one."""
        if topic is not None:
            connection = self._add(topic, CAMERA_INFO)
            for entry in recording.messages([topic]):
                self._writer.write(connection, entry.received_ns, entry.raw)

    def _write(self, connection: Any, result: FrameResult, message: Any) -> None:
        raw = _store_of(connection.msgtype).serialize_cdr(message, connection.msgtype)
        self._writer.write(connection, result.received_ns, raw)


def _store_of(message_type: str) -> Typestore:
    return annotation_typestore() if message_type == IMAGE_ANNOTATIONS else typestore()
