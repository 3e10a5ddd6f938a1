# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions that prefer this process: of images, of results, and of both joined."""

import time
from collections.abc import Callable
from typing import Any

from rclpy.qos import QoSPolicyKind, QoSProfile
from sensor_msgs.msg import CompressedImage, Image

from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.sync.exact_time_sync import ExactTimeSync
from emotion_perception.ros import qos
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.transport.intra_process import SharedImage

_GIVE_UP_S = 0.5  # a result whose image has not come by then goes on without it
_REFRESH_S = 0.5
AnyImage = Image | CompressedImage | SharedImage


class IntraProcessFirstSubscription:
    """Takes a topic from its publishers in this process where all of them are here, else from the middleware.

    Which of the two is asked anew twice a second; what is under way at a change may be lost, nothing comes twice.

    Args:
        node: the subscriber.
        message_type: of the topic.
        topic: relative or full name.
        callback: gets every message; one from this process is shared and not to be changed.
        profile: of a subscription in the middleware.
    """

    def __init__(
        self,
        node: PerceptionNode[Any],
        message_type: type,
        topic: str,
        callback: Callable[[Any], None],
        profile: QoSProfile,
    ) -> None:
        self._node, self._type, self._callback, self._profile = node, message_type, callback, profile
        self._topic = node.resolve_topic_name(topic)
        self._way = self._ask()
        self._end = self._subscribe()
        self._timer = node.create_steady_timer(_REFRESH_S, self._refresh)

    def close(self) -> None:
        """Ends the subscription."""
        self._node.destroy_timer(self._timer)
        self._end()

    def remote_way(self) -> bool:
        """Returns how to subscribe in the middleware; another answer than before calls for another subscription."""
        return True

    def subscribe_remotely(self, way: bool) -> Any:
        """Makes the subscription in the middleware."""
        return self._node.create_subscription(self._type, self._topic, self._callback, self._profile)

    def _refresh(self) -> None:
        if (way := self._ask()) != self._way:
            self._way = way
            self._end()
            self._end = self._subscribe()

    def _ask(self) -> bool | None:
        """Returns `remote_way`, or None where the messages come from this process."""
        is_here = self._node.intra_process.has_all_publishers(self._node, self._topic)
        return None if is_here else self.remote_way()

    def _subscribe(self) -> Callable[[], object]:
        """Subscribes; returns what ends it."""
        if self._way is None:
            return self._node.intra_process.subscribe(self._node, self._topic, self._callback, self._profile.depth)
        subscription = self.subscribe_remotely(self._way)
        return lambda: self._node.destroy_subscription(subscription)


class ImageSubscription(IntraProcessFirstSubscription):
    """Subscribes to images, over the middleware with the reliability that their publishers offer.

    A publisher whose QoS does not fit is said once and shown in /diagnostics.

    Args:
        node: the subscriber.
        callback: gets every message.
        topic: of the raw images.
        depth: of the queue.
        reliability: `auto`, `reliable` or `best_effort`, see `qos.reliable_wanted`.
        transport: `raw`, or `compressed`: sensor_msgs/CompressedImage of the topic (or what it is remapped to) with
            `/compressed` behind its name.
    """

    def __init__(
        self,
        node: PerceptionNode[Any],
        callback: Callable[[AnyImage], None],
        *,
        topic: str = "image_raw",
        depth: int,
        reliability: str,
        transport: str = "raw",
    ) -> None:
        self._on_message = callback
        compressed = transport == "compressed"
        topic = node.resolve_topic_name(topic) + ("/compressed" if compressed else "")
        self._reliability = qos.overridden_reliability(node, topic, reliability)
        profile = qos.image_subscription(depth, reliable=True)  # `subscribe_remotely` decides the reliability
        super().__init__(node, CompressedImage if compressed else Image, topic, self._on_image, profile)

    def close(self) -> None:
        """Ends the subscription."""
        super().close()
        self._node.clear_problem(self._topic)

    def remote_way(self) -> bool:
        """Returns whether to subscribe reliably."""
        return qos.reliable_wanted(self._node, self._topic, self._reliability)

    def subscribe_remotely(self, way: bool) -> Any:
        """Subscribes with that reliability."""
        self._node.clear_problem(self._topic)
        return self._node.create_subscription(
            self._type,
            self._topic,
            self._callback,
            qos.image_subscription(self._profile.depth, reliable=way),
            event_callbacks=qos.SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible),
            qos_overriding_options=qos.IMAGE_SUBSCRIPTION_OVERRIDES,
        )

    def _on_image(self, message: AnyImage) -> None:
        self._node.trace("image_received", stamp_ns(message.header))
        self._on_message(message)

    def _on_incompatible(self, event: Any) -> None:
        policy = QoSPolicyKind(event.last_policy_kind).name.lower()
        if policy != "reliability" or self._reliability != "auto":  # auto takes the other one in a moment
            self._node.set_problem(
                self._topic, f"{self._topic}: a publisher offers another {policy}, nothing is received from it"
            )


class SynchronizedSubscription:
    """Subscribes to images and to results that were computed from them, and joins the two by equal stamps.

    Args:
        node: the subscriber.
        result_type: message type with a `header`.
        topic: where the results come from.
        image_topic: where the images come from.
        callback: gets the pair (image, result) for every result, in order; image is None where it never came.
        config: says how many of each are kept until their partner comes, and the reliability of the images.
    """

    def __init__(
        self,
        node: PerceptionNode[Any],
        result_type: type,
        topic: str,
        image_topic: str,
        callback: Callable[[tuple[AnyImage | None, Any]], None],
        config: ClassifierConfig,
    ) -> None:
        self._node, self._callback = node, callback
        self._matcher: ExactTimeSync[AnyImage, Any] = ExactTimeSync(config.sync_queue_size)
        self._last_result_s = 0.0
        self._images = ImageSubscription(
            node,
            self._on_image,
            topic=image_topic,
            depth=config.sync_queue_size,
            reliability=config.image_reliability,
            transport=config.image_transport,
        )
        self._results = IntraProcessFirstSubscription(node, result_type, topic, self._on_result, qos.RESULTS)
        self._timer = node.create_steady_timer(_GIVE_UP_S, self._give_up)

    def close(self) -> None:
        """Takes no more, and hands on what still waits."""
        self._images.close()
        self._results.close()
        self._node.destroy_timer(self._timer)
        self._hand_on(self._matcher.flush())

    def _on_image(self, message: AnyImage) -> None:
        self._hand_on(self._matcher.add_image(stamp_ns(message.header), message))

    def _on_result(self, message: Any) -> None:
        self._last_result_s = time.monotonic()
        self._node.trace("result_received", stamp_ns(message.header))
        self._hand_on(self._matcher.add_result(stamp_ns(message.header), message))

    def _give_up(self) -> None:
        if self._matcher.waiting and time.monotonic() - self._last_result_s > _GIVE_UP_S:
            self._hand_on(self._matcher.flush())

    def _hand_on(self, settled: list[tuple[AnyImage | None, Any]]) -> None:
        for pair in settled:
            self._callback(pair)
