# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The base of publishers whose messages are made from emotions, in a thread of their own."""

from abc import ABC, abstractmethod
from contextlib import ExitStack
from functools import partial
from typing import Any

from rclpy.publisher import Publisher

from emotion_perception.core.sync import LatestFrameWorker
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.config import OverlayNodeConfig
from emotion_perception.ros.conversions import EmotionArray
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.process import STOP_TIMEOUT_S
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.transport.lazy_subscription import LazySubscription
from emotion_perception.ros.transport.subscriptions import IntraProcessFirstSubscription


class EmotionsPublisher(ABC):
    """Publishes a message for each EmotionArray of a node's camera whose status is OK, while it has subscribers.

    A subclass makes the messages.

    Args:
        node: publishes and subscribes.
        stream: name of its frames in /diagnostics.
        publisher: of the messages; None publishes nothing.

    Attributes:
        published: number of messages so far; written by the worker thread alone.
    """

    def __init__(self, node: PerceptionNode[OverlayNodeConfig], stream: str, publisher: Publisher | None) -> None:
        self._node, self._stream, self._publisher = node, stream, publisher
        self.published = 0

    @abstractmethod
    def make(self, message: EmotionArray) -> Any | None:
        """Returns the message for an EmotionArray, None if there is nothing to publish; called in the thread."""

    def subscribe(self, inputs: ExitStack) -> None:  # noqa: B027 - a publisher may need nothing
        """Prepares for subscribers, e.g. by subscribing to what the publisher needs beside emotions.

        Args:
            inputs: ends what this method has begun.
        """

    def activate(self, resources: ExitStack) -> None:
        """Starts the thread that makes the messages and subscribes to emotions, if there is a publisher.

        Args:
            resources: ends the subscriptions, then the thread.
        """
        if self._publisher is None:
            return
        worker = LatestFrameWorker(self.make, self._publish, partial(self._node.count_failure, self._stream))
        resources.callback(worker.stop, STOP_TIMEOUT_S)
        self._node.show_load(self._stream, worker.load, resources)
        LazySubscription(self._node, [self._publisher], partial(self._open, worker, self._publisher), resources)

    def _open(self, worker: "LatestFrameWorker[EmotionArray, Any]", publisher: Publisher, inputs: ExitStack) -> None:
        node = self._node

        def on_emotions(message: EmotionArray) -> None:
            if message.status == EmotionArray.OK and publisher.get_subscription_count():
                worker.put(message)  # another status tells nothing about faces

        IntraProcessFirstSubscription(node, EmotionArray, "emotions", on_emotions, RESULTS, inputs)
        inputs.callback(node.diagnostics.frame_succeeded, self._stream)
        self.subscribe(inputs)

    def _publish(self, message: Any | None, counts: FrameCounts) -> None:
        self._node.diagnostics.frame_succeeded(self._stream)
        if message is not None and self._publisher is not None:
            self.published += 1
            self._publisher.publish(message)
