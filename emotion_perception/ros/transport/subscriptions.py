# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions to images, to results, and to both joined, that receive within the process where possible."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeAlias

from rclpy.qos import QoSPolicyKind, QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from emotion_perception.core.errors import one_line
from emotion_perception.core.sync import ExactTimeSync, StampOrder
from emotion_perception.ros import qos
from emotion_perception.ros.config import ClassifierNodeConfig
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.intra_process import SharedImage
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.transport.bounded_messages import OversizedMessage, bounded_callback, has_short_frame_id
from emotion_perception.ros.transport.image_messages import size_of_image
from emotion_perception.ros.transport.publisher_check import PublisherCheck

_IMAGE_TIMEOUT_S = 0.5  # this long after the last result, those that still wait are passed on without their image
_REFRESH_PERIOD_S = 0.5
_DISCOVERY_S = 1.0  # the graph may list a publisher later than the middleware finds it
AnyImage: TypeAlias = Image | CompressedImage | SharedImage


@dataclass(frozen=True)
class _Incompatible:
    """A publisher that does not fit the profile of a subscription, since when, and what is shown of it."""

    profile: QoSProfile
    text: str
    since_s: float


class IntraProcessFirstSubscription:
    """Receives a topic within the process if all its publishers are in it, else from the middleware.

    The choice is checked twice a second; a message may be lost when it changes, none is received twice. A publisher
    with incompatible QoS is logged once and shown in /diagnostics while it is there.

    Args:
        node: the subscriber.
        message_type: of the topic.
        topic: relative or absolute name.
        callback: gets every message; one from this process is shared and must not be changed.
        profile: of a subscription in the middleware.
        resources: ends the subscription.
        on_oversized: gets the header of a message that is larger than `MAX_RESULT_BYTES`.
    """

    def __init__(
        self,
        node: PerceptionNode[Any],
        message_type: type,
        topic: str,
        callback: Callable[[Any], None],
        profile: QoSProfile,
        resources: ExitStack,
        *,
        on_oversized: Callable[[OversizedMessage], None] | None = None,
    ) -> None:
        self._node, self._type, self._callback, self._profile = node, message_type, callback, profile
        self._topic = node.resolve_topic_name(topic)
        self._on_data = bounded_callback(node, message_type, self._topic, callback, on_oversized)
        self._incompatible: _Incompatible | None = None
        resources.callback(node.clear_problem, self._topic)
        self._reliable = self._choose()
        self._unsubscribe = self._subscribe()
        resources.callback(lambda: self._unsubscribe())
        resources.callback(node.destroy_timer, node.create_steady_timer(_REFRESH_PERIOD_S, self._refresh))

    def wants_reliable(self) -> bool:
        """Returns whether a subscription in the middleware should be reliable; a change creates a new subscription."""
        return True

    def subscribe_in_middleware(self, *, reliable: bool) -> Subscription:
        """Creates the subscription in the middleware."""
        return self._node.create_subscription(
            self._type, self._topic, self._on_data, self._profile, event_callbacks=self._events(self._profile), raw=True
        )

    def is_expected(self, policy: str) -> bool:
        """Returns whether a publisher that is incompatible in a policy is no problem."""
        return False

    def check(self) -> None:
        """Is called twice a second."""

    def _events(self, profile: QoSProfile) -> qos.SubscriptionEventCallbacks:
        """Returns the callbacks of a subscription in the middleware with that profile."""

        def on_incompatible(event: Any) -> None:
            policy = QoSPolicyKind(event.last_policy_kind).name.lower()
            if not self.is_expected(policy):
                text = f"{self._topic}: a publisher offers an incompatible {policy}, its messages are not received"
                self._incompatible = _Incompatible(profile, text, time.monotonic())
                self._node.set_problem(self._topic, text)

        return qos.SubscriptionEventCallbacks(incompatible_qos=on_incompatible)

    def _refresh(self) -> None:
        if (reliable := self._choose()) != self._reliable:
            self._reliable = reliable
            self._unsubscribe()
            self._unsubscribe = self._subscribe()
        found = self._incompatible
        if found is not None and time.monotonic() - found.since_s > _DISCOVERY_S:
            if qos.all_compatible(self._node, self._topic, found.profile):
                self._clear_incompatible()
            else:  # another subscription of the node to the topic may have cleared it when it ended
                self._node.set_problem(self._topic, found.text)
        self.check()

    def _clear_incompatible(self) -> None:
        self._incompatible = None
        self._node.clear_problem(self._topic)

    def _choose(self) -> bool | None:
        """Returns `wants_reliable`, or None to receive within the process."""
        in_process = self._node.intra_process.has_all_publishers(self._node, self._topic)
        return None if in_process else self.wants_reliable()

    def _subscribe(self) -> Callable[[], None]:
        """Subscribes; returns a function that ends the subscription."""
        self._clear_incompatible()
        if self._reliable is None:
            return self._node.intra_process.subscribe(self._node, self._topic, self._callback, self._profile.depth)
        subscription = self.subscribe_in_middleware(reliable=self._reliable)
        return lambda: self._destroy(subscription)

    def _destroy(self, subscription: Subscription) -> None:
        self._node.destroy_subscription(subscription)


class ResultSubscription(IntraProcessFirstSubscription):
    """Subscribes to results; when it ends, the callback still gets those that have arrived.

    Arguments as of `IntraProcessFirstSubscription`.
    """

    def _destroy(self, subscription: Subscription) -> None:
        try:
            with subscription.handle:  # as rclpy's executor takes messages
                while (taken := subscription.handle.take_message(subscription.msg_type, True)) is not None:
                    self._on_data(taken[0])
        except Exception as e:  # noqa: BLE001 - e.g. a message that cannot be deserialized; the subscription ends anyway
            self._node.count_fault(f"{type(e).__name__}: {one_line(e)}")
        super()._destroy(subscription)


class ImageSubscription(IntraProcessFirstSubscription):
    """Subscribes to images, in the middleware with the reliability that their publishers offer.

    Stamps that do not increase, and publishers of several nodes, are logged once and shown in /diagnostics while they
    last.

    Args:
        node: the subscriber.
        callback: gets every message.
        resources: ends the subscription.
        topic: of the raw images.
        depth: of the queue.
        reliability: `auto`, `reliable` or `best_effort`, see `qos.reliable_wanted`.
        transport: `raw`, or `compressed`: sensor_msgs/CompressedImage of the topic (or what it is remapped to) with
            `/compressed` appended to its name.
    """

    def __init__(
        self,
        node: PerceptionNode[Any],
        callback: Callable[[AnyImage], None],
        resources: ExitStack,
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
        profile = qos.image_subscription(depth, reliable=True)  # `subscribe_in_middleware` sets the reliability
        self._stamps, self._publishers = StampOrder(), PublisherCheck(node, topic)
        self._stamp_problem, self._publisher_problem = f"stamps of {topic}", f"publishers of {topic}"
        resources.callback(node.clear_problem, self._stamp_problem)
        resources.callback(node.clear_problem, self._publisher_problem)
        super().__init__(node, CompressedImage if compressed else Image, topic, self._on_image, profile, resources)

    def wants_reliable(self) -> bool:
        """Returns what `qos.reliable_wanted` decides at present."""
        return qos.reliable_wanted(self._node, self._topic, self._reliability)

    def subscribe_in_middleware(self, *, reliable: bool) -> Subscription:
        """Creates the subscription with that reliability."""
        profile = qos.image_subscription(self._profile.depth, reliable=reliable)
        return self._node.create_subscription(
            self._type,
            self._topic,
            self._callback,
            profile,
            event_callbacks=self._events(profile),
            qos_overriding_options=qos.IMAGE_SUBSCRIPTION_OVERRIDES,
        )

    def is_expected(self, policy: str) -> bool:
        """Returns whether the subscription takes the other reliability in a moment."""
        return policy == "reliability" and self._reliability == "auto"

    def check(self) -> None:
        """Shows what is wrong with stamps and publishers, or that nothing is."""
        problem = self._stamps.problem()
        why = "results belong to images of equal stamp, so each image needs a higher one than those before"
        self._node.set_problem(self._stamp_problem, problem and f"{self._topic}: {problem}; {why}")
        self._node.set_problem(self._publisher_problem, self._publishers.problem())

    def _on_image(self, message: AnyImage) -> None:
        self._node.trace("image_received", stamp_ns(message.header))
        self._stamps.add(stamp_ns(message.header))
        if has_short_frame_id(self._node, message.header, self._topic):
            self._on_message(message)


class SynchronizedSubscription:
    """Subscribes to images and to results that were computed from them, and joins the two by equal stamps.

    Args:
        node: the subscriber.
        result_type: message type with a `header`.
        topic: of the results.
        image_topic: of the images.
        callback: gets the pair (image, result) for every result, in order; image is None if it did not arrive in time.
            At the end it gets the results that still wait for their image. In place of a result that is too large to
            be read it gets an `OversizedMessage`.
        config: sets how many of each wait for their counterpart, and how images are received.
        resources: ends the subscriptions.
    """

    def __init__(
        self,
        node: PerceptionNode[Any],
        result_type: type,
        topic: str,
        image_topic: str,
        callback: Callable[[tuple[AnyImage | None, Any]], None],
        config: ClassifierNodeConfig,
        resources: ExitStack,
    ) -> None:
        self._node, self._callback = node, callback
        self._sync: ExactTimeSync[AnyImage, Any] = ExactTimeSync(config.sync_queue_size, size_of=size_of_image)
        self._last_result_s = 0.0
        resources.callback(self._flush)
        ImageSubscription(
            node,
            self._on_image,
            resources,
            topic=image_topic,
            depth=config.sync_queue_size,
            reliability=config.image_reliability,
            transport=config.image_transport,
        )
        ResultSubscription(
            node, result_type, topic, self._on_result, qos.RESULTS, resources, on_oversized=self._on_result
        )
        resources.callback(node.destroy_timer, node.create_steady_timer(_IMAGE_TIMEOUT_S, self._flush_if_late))

    def _on_image(self, message: AnyImage) -> None:
        self._pass_on(self._sync.add_image(stamp_ns(message.header), message))

    def _on_result(self, message: Any) -> None:
        self._last_result_s = time.monotonic()
        self._node.trace("result_received", stamp_ns(message.header))
        self._pass_on(self._sync.add_result(stamp_ns(message.header), message))

    def _flush_if_late(self) -> None:
        if self._sync.waiting and time.monotonic() - self._last_result_s > _IMAGE_TIMEOUT_S:
            self._flush()

    def _flush(self) -> None:
        self._pass_on(self._sync.flush())

    def _pass_on(self, pairs: list[tuple[AnyImage | None, Any]]) -> None:
        for pair in pairs:
            self._callback(pair)
