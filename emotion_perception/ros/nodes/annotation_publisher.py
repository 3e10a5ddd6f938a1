# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Publishes the topic `image_annotations`: outlines and captions of faces, which Foxglove draws onto the image."""

import importlib
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from rclpy.publisher import Publisher

from emotion_perception.core.errors import one_line
from emotion_perception.core.rendering import ImageAnnotationsBuilder
from emotion_perception.core.sync import LatestFrameWorker
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.config import OverlayNodeConfig
from emotion_perception.ros.conversions import EmotionArray, emotions_from_msg
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.process import STOP_TIMEOUT_S
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.transport.bounded_messages import bounded_callback
from emotion_perception.ros.transport.lazy_subscription import LazySubscription

_PACKAGE = "foxglove_msgs"
_STREAM = "annotations"
_UNUSABLE = (ImportError, AttributeError, TypeError, RuntimeError, OSError)
"""What Python and rclpy raise for a package of that name that has other messages, or was built for another ROS."""


class AnnotationPublisher:
    """Publishes `image_annotations` for a node's `emotions` while they have subscribers and foxglove_msgs is installed.

    Args:
        node: publishes and subscribes.
        resources: destroys the publisher.

    Attributes:
        published: number of messages so far; written by the worker thread alone.
    """

    def __init__(self, node: PerceptionNode[OverlayNodeConfig], resources: ExitStack) -> None:
        self._node = node
        self._publisher: Publisher | None = None
        self.published = 0
        try:
            self._publisher = self._create()
        except ModuleNotFoundError as e:
            if e.name != _PACKAGE:
                self._warn(e)
        except _UNUSABLE as e:
            self._warn(e)
        else:
            resources.callback(node.destroy_lifecycle_publisher, self._publisher)

    def activate(self, resources: ExitStack) -> None:
        """Starts the thread that builds the messages and subscribes to emotions, if foxglove_msgs is installed.

        Args:
            resources: ends the subscription, then the thread.
        """
        if self._publisher is None:
            return
        worker = LatestFrameWorker(self._make, self._publish, partial(self._node.count_failure, _STREAM))
        resources.callback(worker.stop, STOP_TIMEOUT_S)
        self._node.show_load(_STREAM, worker.load, resources)
        LazySubscription(self._node, [self._publisher], lambda inputs: self._subscribe(worker.put, inputs), resources)

    def _subscribe(self, put: Callable[[EmotionArray], None], inputs: ExitStack) -> None:
        node = self._node
        on_data = bounded_callback(node, EmotionArray, "emotions", partial(_pass_on, put))
        emotions = node.create_subscription(EmotionArray, "emotions", on_data, RESULTS, raw=True)
        inputs.callback(node.destroy_subscription, emotions)
        inputs.callback(node.diagnostics.frame_succeeded, _STREAM)

    def _create(self) -> Publisher:
        types = importlib.import_module(f"{_PACKAGE}.msg")
        self._builder = ImageAnnotationsBuilder(lambda name: getattr(types, name.rpartition("/")[2]))
        return self._node.create_lifecycle_publisher(types.ImageAnnotations, "image_annotations", RESULTS)

    def _make(self, message: EmotionArray) -> Any:
        return self._builder.build(message.header, emotions_from_msg(message))

    def _publish(self, message: Any, counts: FrameCounts) -> None:
        self._node.diagnostics.frame_succeeded(_STREAM)
        if self._publisher is not None:
            self.published += 1
            self._publisher.publish(message)

    def _warn(self, error: Exception) -> None:
        text = f"no image_annotations: the installed {_PACKAGE} cannot be used ({one_line(error)})"
        self._node.get_logger().warning(text)


def _pass_on(put: Callable[[EmotionArray], None], message: EmotionArray) -> None:
    if message.status == EmotionArray.OK:  # any other status has no information about faces
        put(message)
