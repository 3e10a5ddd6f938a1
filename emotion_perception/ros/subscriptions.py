"""The image subscription, alone and joined with a stream of results."""

import time
from collections.abc import Callable
from typing import Any

from rclpy.qos import QoSPolicyKind
from sensor_msgs.msg import CompressedImage, Image

from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.matching import StampMatcher
from emotion_perception.ros import qos
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.local_images import SharedImage
from emotion_perception.ros.node import PerceptionNode

_GIVE_UP_S = 0.5  # a result whose image has not come by then goes on without it
_REFRESH_S = 0.5
AnyImage = Image | CompressedImage | SharedImage


class ImageSubscription:
    """Subscribes to a node's `image_raw` (or what it is remapped to) with the reliability its publishers offer.

    Where all publishers are in this process it takes the pictures from them, see `LocalImages`. A publisher whose QoS
    does not fit is said once and shown in /diagnostics.

    Args:
        node: the subscriber.
        callback: gets every message.
        depth: of the queue.
        reliability: `auto`, `reliable` or `best_effort`, see `qos.reliable_wanted`.
        transport: `raw`, or `compressed`: sensor_msgs/CompressedImage of the topic with `/compressed` behind its name.
    """

    def __init__(
        self,
        node: PerceptionNode[Any],
        callback: Callable[[AnyImage], None],
        *,
        depth: int,
        reliability: str,
        transport: str = "raw",
    ) -> None:
        self._node, self._callback, self._depth = node, callback, depth
        self._type = CompressedImage if transport == "compressed" else Image
        self._topic = node.resolve_topic_name("image_raw") + ("/compressed" if transport == "compressed" else "")
        self._reliability = qos.overridden_reliability(node, self._topic, reliability)
        self._wanted = self._ask()
        self._end = self._subscribe()
        self._timer = node.create_steady_timer(_REFRESH_S, self._refresh)

    def close(self) -> None:
        """Ends the subscription."""
        self._node.destroy_timer(self._timer)
        self._end()
        self._node.clear_problem(self._topic)

    def _refresh(self) -> None:
        """Subscribes anew where the publishers that are there now call for another way."""
        if (wanted := self._ask()) != self._wanted:
            self._wanted = wanted
            self._node.clear_problem(self._topic)
            self._end()
            self._end = self._subscribe()

    def _ask(self) -> bool | None:
        """Returns whether to subscribe reliably; None where the pictures come from this process."""
        if self._node.local_images.has_all_publishers(self._node, self._topic):
            return None
        return qos.reliable_wanted(self._node, self._topic, self._reliability)

    def _subscribe(self) -> Callable[[], object]:
        """Subscribes in the way that is wanted; returns what ends it."""
        if self._wanted is None:
            return self._node.local_images.subscribe(self._node, self._topic, self._on_image, self._depth)
        subscription = self._node.create_subscription(
            self._type,
            self._topic,
            self._on_image,
            qos.image_subscription(self._depth, reliable=self._wanted),
            event_callbacks=qos.SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible),
            qos_overriding_options=qos.IMAGE_SUBSCRIPTION_OVERRIDES,
        )
        return lambda: self._node.destroy_subscription(subscription)

    def _on_image(self, message: AnyImage) -> None:
        self._node.trace("image_received", stamp_ns(message.header))
        self._callback(message)

    def _on_incompatible(self, event: Any) -> None:
        policy = QoSPolicyKind(event.last_policy_kind).name.lower()
        if policy != "reliability" or self._reliability != "auto":  # auto takes the other one in a moment
            self._node.set_problem(
                self._topic, f"{self._topic}: a publisher offers another {policy}, nothing is received from it"
            )


class JoinedSubscription:
    """Subscribes to images and to results that were computed from them, and joins the two by equal stamps.

    Args:
        node: the subscriber.
        result_type: message type with a `header`.
        topic: where the results come from.
        callback: gets the pair (image, result) for every result, in order; image is None where it never came.
        config: says how many of each are kept until their partner comes, and the reliability of the images.
    """

    def __init__(
        self,
        node: PerceptionNode[Any],
        result_type: type,
        topic: str,
        callback: Callable[[tuple[AnyImage | None, Any]], None],
        config: ClassifierConfig,
    ) -> None:
        self._node, self._callback = node, callback
        self._matcher: StampMatcher[AnyImage, Any] = StampMatcher(config.match_depth)
        self._last_result_s = 0.0
        self._images = ImageSubscription(
            node,
            self._on_image,
            depth=config.match_depth,
            reliability=config.image_reliability,
            transport=config.image_transport,
        )
        self._results = node.create_subscription(result_type, topic, self._on_result, qos.RESULTS)
        self._timer = node.create_steady_timer(_GIVE_UP_S, self._give_up)

    def close(self) -> None:
        """Takes no more, and hands on what still waits."""
        self._images.close()
        self._node.destroy_subscription(self._results)
        self._node.destroy_timer(self._timer)
        self._hand_on(self._matcher.flush())

    def _on_image(self, message: AnyImage) -> None:
        self._hand_on(self._matcher.add_picture(stamp_ns(message.header), message))

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
