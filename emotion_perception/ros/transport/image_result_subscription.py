# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscribes to images and emotions and pairs them, without waiting too long for late emotions."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from emotion_perception.core.sync import ImageResultSync
from emotion_perception.ros.config import OverlayNodeConfig
from emotion_perception.ros.conversions import EmotionArray, stamp_ns
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.transport.subscriptions import AnyImage, ImageSubscription, IntraProcessFirstSubscription

Pair = tuple[AnyImage, EmotionArray | None]
EmotionQueue = ImageResultSync[AnyImage, EmotionArray]
_CHECK_PERIOD_S = 0.05


class ImageResultSubscription:
    """Subscribes to images and emotions, and calls back with each image when `ImageResultSync` returns it.

    Emotions whose status is not OK have no information about faces; their image is returned without emotions. Waiting
    times are measured on a steady clock.

    Args:
        node: the subscriber; its parameters set how long an image waits for its emotions and how images are received.
        queue: where the images wait; cleared at the end.
        callback: gets each image with its emotions, or None.
        resources: ends the subscriptions.
    """

    def __init__(
        self,
        node: PerceptionNode[OverlayNodeConfig],
        queue: EmotionQueue,
        callback: Callable[[Pair], None],
        resources: ExitStack,
    ) -> None:
        self._node, self._queue, self._callback = node, queue, callback
        config = node.config
        resources.callback(queue.clear)
        ImageSubscription(
            node,
            self._on_image,
            resources,
            depth=config.sync_queue_size,
            reliability=config.image_reliability,
            transport=config.image_transport,
        )
        IntraProcessFirstSubscription(node, EmotionArray, "emotions", self._on_emotions, RESULTS, resources)
        resources.callback(node.destroy_timer, node.create_steady_timer(_CHECK_PERIOD_S, self._release_expired))

    def _on_image(self, message: AnyImage) -> None:
        self._pass_on(self._queue.add_image(stamp_ns(message.header), message, time.monotonic()))
        self._release_expired()

    def _on_emotions(self, message: EmotionArray) -> None:
        if message.status == EmotionArray.OK:
            self._pass_on(self._queue.add_result(stamp_ns(message.header), message, time.monotonic()))

    def _release_expired(self) -> None:
        self._pass_on(self._queue.expire(time.monotonic(), self._node.config.sync_timeout_s))

    def _pass_on(self, pairs: list[Pair]) -> None:
        for pair in pairs:
            self._callback(pair)
