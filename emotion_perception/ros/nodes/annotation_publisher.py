# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Publishes the topic `image_annotations`: outlines and captions of faces, which Foxglove draws onto the image."""

from contextlib import ExitStack
from typing import Any

from rclpy.publisher import Publisher

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.message_adapters import TypeLookup
from emotion_perception.core.rendering import ImageAnnotationsBuilder
from emotion_perception.ros.config import OverlayNodeConfig
from emotion_perception.ros.conversions import EmotionArray, emotions_from_msg
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.nodes.emotions_publisher import EmotionsPublisher
from emotion_perception.ros.optional_messages import class_of, with_messages
from emotion_perception.ros.qos import RESULTS

_PACKAGE = "foxglove_msgs"


class AnnotationPublisher(EmotionsPublisher):
    """Publishes `image_annotations` for a node's `emotions` while they have subscribers and foxglove_msgs is installed.

    Args:
        node: publishes and subscribes.
        resources: destroys the publisher.
    """

    def __init__(self, node: PerceptionNode[OverlayNodeConfig], resources: ExitStack) -> None:
        publisher = None
        try:
            publisher = with_messages(_PACKAGE, lambda types: self._create(node, types))
        except ConfigurationError as e:
            node.get_logger().warning(f"no image_annotations: {e}")
        if publisher is not None:
            resources.callback(node.destroy_lifecycle_publisher, publisher)
        super().__init__(node, "annotations", publisher)

    def make(self, message: EmotionArray) -> Any:
        """Returns the annotations of an image."""
        return self._builder.build(message.header, emotions_from_msg(message))

    def _create(self, node: PerceptionNode[OverlayNodeConfig], types: TypeLookup) -> Publisher:
        self._builder = ImageAnnotationsBuilder(types)
        return node.create_lifecycle_publisher(
            class_of(f"{_PACKAGE}/msg/ImageAnnotations"), "image_annotations", RESULTS
        )
