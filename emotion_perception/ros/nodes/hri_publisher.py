# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Publishes the topics of ROS4HRI (REP-155) below `/humans/faces`: the tracked faces, and a few topics for each."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rclpy.publisher import Publisher
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from emotion_perception.core.interop import FaceIdChanges, HriMessageBuilder, crop_face
from emotion_perception.core.message_adapters import TypeLookup
from emotion_perception.core.types import FaceEmotion
from emotion_perception.ros.config import ClassifierNodeConfig
from emotion_perception.ros.conversions import ClassificationResult
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.optional_messages import class_of, with_required_messages
from emotion_perception.ros.qos import RESULTS, PublisherEventCallbacks
from emotion_perception.ros.transport.image_messages import bgr_to_image

_FACES = "/humans/faces"
_SILENT_S = 5.0  # a camera that delivers nothing for so long has no tracked faces
_CHECK_PERIOD_S = 1.0


class _CameraFaces(NamedTuple):
    """The faces of a camera: steady time and header of its last image, and their ids."""

    at_s: float
    header: Header
    ids: Sequence[str]


class TrackedFaces:
    """Publishes `/humans/faces/tracked` for all cameras of a node: each message has the faces of all of them.

    Args:
        publish: gets a header and the ids.
        clock_s: steady time in seconds.
    """

    def __init__(
        self, publish: Callable[[Header, Sequence[str]], None], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._publish, self._clock_s = publish, clock_s
        self._cameras: dict[str, _CameraFaces] = {}
        self._lock = threading.Lock()  # each camera has a thread

    def update(self, camera: str, header: Header, ids: Sequence[str]) -> None:
        """Publishes the faces of all cameras under the header of an image of one of them.

        Args:
            camera: tells the cameras apart; one that has not delivered for five seconds has no faces.
            header: of its image.
            ids: of its faces.
        """
        with self._lock:
            self._remove_silent()
            self._cameras[camera] = _CameraFaces(self._clock_s(), header, ids)
            self._publish_all(header)

    def remove_silent(self) -> None:
        """Publishes the faces that are left, if a camera with faces has not delivered for five seconds."""
        with self._lock:
            removed = self._remove_silent()
            if any(camera.ids for camera in removed):
                self._publish_all(removed[-1].header)

    def _remove_silent(self) -> "list[_CameraFaces]":
        now_s = self._clock_s()
        silent = [name for name, camera in self._cameras.items() if now_s - camera.at_s >= _SILENT_S]
        return [self._cameras.pop(name) for name in silent]

    def _publish_all(self, header: Header) -> None:
        self._publish(header, [face_id for camera in self._cameras.values() for face_id in camera.ids])


class HriTopics:
    """What all cameras of a node share: the messages of hri_msgs, and `/humans/faces/tracked`.

    Args:
        node: publishes.
        resources: destroys the publisher and a timer.

    Raises:
        ConfigurationError: hri_msgs is not installed, or cannot be used.

    Attributes:
        builder: builds the messages.
        classes: type of each topic of a face.
        tracked: the tracked faces.
    """

    def __init__(self, node: PerceptionNode[ClassifierNodeConfig], resources: ExitStack) -> None:
        self._node = node
        self._publisher: Publisher = with_required_messages("hri_msgs", "publish_hri", self._create)
        resources.callback(node.destroy_lifecycle_publisher, self._publisher)
        self.tracked = TrackedFaces(self._publish)
        resources.callback(node.destroy_timer, node.create_steady_timer(_CHECK_PERIOD_S, self.tracked.remove_silent))

    def _create(self, types: TypeLookup) -> Publisher:
        self.builder = HriMessageBuilder(types)
        self.classes: dict[str, Any] = {
            "roi": class_of("hri_msgs/msg/NormalizedRegionOfInterest2D"),
            "landmarks": class_of("hri_msgs/msg/FacialLandmarks"),
            "expression": class_of("hri_msgs/msg/Expression"),
        }
        if self._node.config.interop.publish_hri_cropped:
            self.classes["cropped"] = Image
        return self._node.create_lifecycle_publisher(class_of("hri_msgs/msg/IdsList"), f"{_FACES}/tracked", RESULTS)

    def _publish(self, header: Header, ids: Sequence[str]) -> None:
        self._publisher.publish(self.builder.ids_list(header, ids))


class HriPublisher:
    """Publishes the faces of one camera; the topics of a face exist from its first frame until its track ends.

    Args:
        node: publishes.
        topics: shared by the cameras.
        camera: namespace of the camera's topics, which tells the cameras of a node apart.
    """

    def __init__(self, node: PerceptionNode[ClassifierNodeConfig], topics: HriTopics, camera: str) -> None:
        self._node, self._topics, self._camera = node, topics, camera
        self._faces: dict[str, dict[str, Publisher]] = {}
        self._last_header = Header()

    def publish(self, result: ClassificationResult, changes: FaceIdChanges) -> None:
        """Publishes the faces of an image.

        Args:
            result: emotions of its faces.
            changes: the ids of its faces, and those of the tracks that have ended.
        """
        header = result.source.header
        self._remove(changes.removed)
        for face_id in changes.present.values():
            if face_id not in self._faces:
                self._faces[face_id] = self._create(face_id)
        self._last_header = header
        self._topics.tracked.update(self._camera, header, list(self._faces))
        for emotion in result.emotions:
            if emotion.face.track_id in changes.present and result.image_bgr is not None:
                topics = self._faces[changes.present[emotion.face.track_id]]
                self._publish_face(header, emotion, result.image_bgr, topics)

    def clear(self) -> None:
        """Removes the topics of all faces, and the faces from the tracked ones."""
        if self._faces:
            self._remove(list(self._faces))
            self._topics.tracked.update(self._camera, self._last_header, [])

    def _publish_face(
        self, header: Header, emotion: FaceEmotion, image_bgr: NDArray[np.uint8], topics: Mapping[str, Publisher]
    ) -> None:
        build, face, image_wh = self._topics.builder, emotion.face, (image_bgr.shape[1], image_bgr.shape[0])
        made: dict[str, Callable[[], Any]] = {"roi": lambda: build.region(header, face, image_wh)}
        if any(point.known for point in face.landmarks):
            made["landmarks"] = lambda: build.landmarks(header, face, image_wh)
        if emotion.label:  # empty before the first prediction
            made["expression"] = lambda: build.expression(header, emotion)
        if "cropped" in topics:
            anonymizer = self._node.config.interop.anonymize
            made["cropped"] = lambda: bgr_to_image(crop_face(image_bgr, face.box, anonymizer), header)
        for name, make in made.items():
            if topics[name].get_subscription_count():
                topics[name].publish(make())

    def _create(self, face_id: str) -> dict[str, Publisher]:
        silent = PublisherEventCallbacks(use_default_callbacks=False)  # the executor waits for nothing more
        return {
            name: self._node.create_publisher(kind, f"{_FACES}/{face_id}/{name}", RESULTS, event_callbacks=silent)
            for name, kind in self._topics.classes.items()
        }

    def _remove(self, face_ids: Sequence[str]) -> None:
        for face_id in face_ids:
            for publisher in self._faces.pop(face_id, {}).values():
                self._node.destroy_publisher(publisher)
