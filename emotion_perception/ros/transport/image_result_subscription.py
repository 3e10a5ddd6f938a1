# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Images with their emotions, or without them where these are late."""

import time
from collections.abc import Callable

from emotion_perception.core.config import OverlayConfig
from emotion_perception.core.sync.image_result_sync import ImageResultSync
from emotion_perception.ros.conversions import EmotionArray, stamp_ns
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.transport.subscriptions import AnyImage, ImageSubscription, IntraProcessFirstSubscription

Pair = tuple[AnyImage, EmotionArray | None]
EmotionQueue = ImageResultSync[AnyImage, EmotionArray]
_LOOK_S = 0.05


class ImageResultSubscription:
    """Subscribes to images and emotions and hands on each image as `ImageResultSync` tells, on a steady clock.

    Emotions whose status is not OK say nothing of who is there, so their image goes on as one without.

    Args:
        node: the subscriber; its parameters say how long emotions are waited for and how the images come.
        queue: where the images wait; cleared at the end.
        callback: gets each pair of an image and its emotions, or None.
    """

    def __init__(
        self, node: PerceptionNode[OverlayConfig], queue: EmotionQueue, callback: Callable[[Pair], None]
    ) -> None:
        self._node, self._queue, self._callback = node, queue, callback
        config = node.config
        self._images = ImageSubscription(
            node,
            self._on_image,
            depth=config.sync_queue_size,
            reliability=config.image_reliability,
            transport=config.image_transport,
        )
        self._emotions = IntraProcessFirstSubscription(node, EmotionArray, "emotions", self._on_emotions, RESULTS)
        self._timer = node.create_steady_timer(_LOOK_S, self._hand_on_late)

    def close(self) -> None:
        """Takes no more, and forgets what waits."""
        self._node.destroy_timer(self._timer)
        self._emotions.close()
        self._images.close()
        self._queue.clear()

    def _on_image(self, message: AnyImage) -> None:
        self._hand_on(self._queue.add_image(stamp_ns(message.header), message, time.monotonic()))
        self._hand_on_late()

    def _on_emotions(self, message: EmotionArray) -> None:
        if message.status == EmotionArray.OK:
            self._hand_on(self._queue.add_result(stamp_ns(message.header), message, time.monotonic()))

    def _hand_on_late(self) -> None:
        self._hand_on(self._queue.expire(time.monotonic(), self._node.config.sync_timeout_s))

    def _hand_on(self, pairs: list[Pair]) -> None:
        for pair in pairs:
            self._callback(pair)
