# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Publishes faces and emotions in the messages of other packages: ROS4HRI (REP-155), vision_msgs, TF.

Each only where a parameter asks for it; the packages of these messages are no dependencies.
"""

import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

from rclpy.publisher import Publisher

from emotion_perception.core.interop import (
    MAX_FACES,
    DetectionBuilder,
    FaceIdChanges,
    FaceIds,
    FaceTransformBuilder,
)
from emotion_perception.core.message_adapters import TypeLookup
from emotion_perception.core.types import FaceEmotion
from emotion_perception.ros.config import ClassifierNodeConfig
from emotion_perception.ros.conversions import ClassificationResult, stamp_ns
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.nodes.hri_publisher import HriPublisher, HriTopics
from emotion_perception.ros.optional_messages import class_of, with_required_messages
from emotion_perception.ros.qos import RESULTS, TRANSFORMS

_NO_FRAME = "publish_tf: the images have no frame_id, so there are no TF frames of faces"


class NamedFacePublisher(Protocol):
    """Publishes the faces of one camera by their ids."""

    def publish(self, result: ClassificationResult, changes: FaceIdChanges) -> None:
        """Publishes the faces of an image, whose ids `changes` has."""

    def clear(self) -> None:
        """Ends what was published of faces that were seen last."""


class DetectionPublisher:
    """Publishes `face_detections_2d` and `face_detections_3d` of one camera, each while it has subscribers.

    Args:
        node: publishes.
        namespace: of the camera's topics, relative, with a slash at its end; empty for the node's own.
        labels: of the probabilities.
        resources: destroys the publishers.

    Raises:
        ConfigurationError: vision_msgs is not installed, or cannot be used.
    """

    def __init__(
        self, node: PerceptionNode[ClassifierNodeConfig], namespace: str, labels: Sequence[str], resources: ExitStack
    ) -> None:
        self._labels = labels

        def create(kind: str, topic: str) -> Publisher:
            publisher = node.create_lifecycle_publisher(class_of(kind), f"{namespace}{topic}", RESULTS)
            resources.callback(node.destroy_lifecycle_publisher, publisher)
            return publisher

        def prepare(types: TypeLookup) -> DetectionBuilder:
            builder = DetectionBuilder(types)
            self._publisher_2d = create("vision_msgs/msg/Detection2DArray", "face_detections_2d")
            self._publisher_3d = create("vision_msgs/msg/Detection3DArray", "face_detections_3d")
            return builder

        self._builder = with_required_messages("vision_msgs", "publish_vision_msgs", prepare)

    def publish(self, result: ClassificationResult) -> None:
        """Publishes the faces of an image."""
        header = result.source.header
        if self._publisher_2d.get_subscription_count():
            self._publisher_2d.publish(self._builder.detections_2d(header, result.emotions, self._labels))
        if self._publisher_3d.get_subscription_count():
            self._publisher_3d.publish(self._builder.detections_3d(header, result.emotions, self._labels))


class TransformTopic:
    """The topic `/tf`, shared by the cameras of a node.

    It publishes tf2_msgs itself, as the `TransformBroadcaster` of tf2_ros does, so tf2_ros is not needed.

    Args:
        node: publishes.
        resources: destroys the publisher.

    Raises:
        ConfigurationError: tf2_msgs is not installed, or cannot be used.

    Attributes:
        builder: builds the messages.
        publisher: of the messages.
    """

    def __init__(self, node: PerceptionNode[ClassifierNodeConfig], resources: ExitStack) -> None:
        def create(types: TypeLookup) -> Publisher:
            self.builder = FaceTransformBuilder(types)
            return node.create_lifecycle_publisher(class_of("tf2_msgs/msg/TFMessage"), "/tf", TRANSFORMS)

        self.publisher: Publisher = with_required_messages("tf2_msgs", "publish_tf", create)
        resources.callback(node.destroy_lifecycle_publisher, self.publisher)


class TransformPublisher:
    """Publishes the TF frames of the faces of one camera whose position is known.

    TF cannot delete a frame: one whose face has left is not published any more.

    Args:
        node: reports images without a `frame_id` in /diagnostics.
        topic: `/tf`.
        camera: namespace of the camera's topics, which tells the cameras of a node apart.
    """

    def __init__(self, node: PerceptionNode[ClassifierNodeConfig], topic: TransformTopic, camera: str) -> None:
        self._node, self._topic, self._problem = node, topic, f"{camera}tf"

    def publish(self, result: ClassificationResult, changes: FaceIdChanges) -> None:
        """Publishes the TF frames of the faces of an image, with its stamp, as children of its `frame_id`."""
        header, build = result.source.header, self._topic.builder
        self._node.set_problem(self._problem, "" if header.frame_id else _NO_FRAME)
        if not header.frame_id:
            return
        transforms = [
            transform
            for emotion in result.emotions
            if emotion.face.track_id in changes.present and emotion.face.position.known
            for transform in build.transforms(header, emotion.face, changes.present[emotion.face.track_id])
        ]
        if transforms and self._topic.publisher.get_subscription_count():
            self._topic.publisher.publish(build.message(transforms))

    def clear(self) -> None:
        """Removes the problem from /diagnostics."""
        self._node.clear_problem(self._problem)


class InteropPublisher:
    """Publishes the faces of one camera in the messages that the parameters select.

    Args:
        node: counts faces that have no id, or the track id of another face of their image.
        detections: None publishes no detections.
        named: publishers of faces by their ids.
    """

    def __init__(
        self,
        node: PerceptionNode[ClassifierNodeConfig],
        detections: DetectionPublisher | None,
        named: Sequence[NamedFacePublisher],
    ) -> None:
        self._node, self._detections, self._named = node, detections, named
        self._ids = FaceIds(random.Random())

    def publish(self, result: ClassificationResult) -> None:
        """Publishes the faces of an image whose status is OK."""
        if self._detections is not None:
            self._detections.publish(result)
        if not self._named:
            return
        first_of_track: dict[int, FaceEmotion] = {}
        for emotion in result.emotions:
            first_of_track.setdefault(emotion.face.track_id, emotion)
        if repeated := len(result.emotions) - len(first_of_track):
            self._node.count_fault(f"{repeated} faces have the track id of another face of their image")
            result = replace(result, emotions=list(first_of_track.values()))
        changes = self._ids.update(list(first_of_track), stamp_ns(result.source.header) * 1e-9)
        if changes.omitted:
            self._node.count_fault(f"{changes.omitted} faces have no id, as {MAX_FACES} others have one")
        for publisher in self._named:
            publisher.publish(result, changes)

    def clear(self) -> None:
        """Ends the tracks of all faces."""
        self._ids.clear()
        for publisher in self._named:
            publisher.clear()


class InteropPublisherFactory:
    """Creates the publishers of each camera of a node.

    Args:
        node: publishes what the parameters of `InteropOptions` select.
        resources: destroys the publishers.

    Raises:
        ConfigurationError: the package of a message that a parameter selects is not installed, or cannot be used.
    """

    def __init__(self, node: PerceptionNode[ClassifierNodeConfig], resources: ExitStack) -> None:
        self._node, self._resources = node, resources
        options = node.config.interop
        self._hri = HriTopics(node, resources) if options.publish_hri else None
        self._transforms = TransformTopic(node, resources) if options.publish_tf else None

    def create(self, namespace: str, labels: Sequence[str]) -> InteropPublisher:
        """Creates the publishers of a camera.

        Args:
            namespace: of its topics, relative, with a slash at its end; empty for the node's own.
            labels: of the probabilities.

        Raises:
            ConfigurationError: as of the class.
        """
        node, named = self._node, list[NamedFacePublisher]()
        if self._hri is not None:
            named.append(HriPublisher(node, self._hri, namespace))
        if self._transforms is not None:
            named.append(TransformPublisher(node, self._transforms, namespace))
        detections = None
        if node.config.interop.publish_vision_msgs:
            detections = DetectionPublisher(node, namespace, labels, self._resources)
        return InteropPublisher(node, detections, named)
