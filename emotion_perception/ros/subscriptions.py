"""The image subscription, alone and joined with a stream of results."""

import time
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import Image

from emotion_perception.core.config import ClassifierConfig, OverlayConfig
from emotion_perception.core.matching import StampMatcher
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.qos import RESULTS, image_subscription, reliable_wanted

_GIVE_UP_S = 0.5  # a result whose image has not come by then goes on without it
_REFRESH_S = 0.5
_STEADY = Clock(clock_type=ClockType.STEADY_TIME)  # its timers run without /clock too


class ImageSubscription:
    """Subscribes to a node's `image_raw` (or what it is remapped to) with the reliability its publishers offer.

    Args:
        node: the subscriber.
        callback: gets every message.
        depth: of the queue.
        reliability: `auto`, `reliable` or `best_effort`, see `qos.reliable_wanted`.
    """

    def __init__(self, node: Node, callback: Callable[[Image], None], *, depth: int, reliability: str) -> None:
        self._node, self._callback, self._depth, self._reliability = node, callback, depth, reliability
        self._topic = node.resolve_topic_name("image_raw")
        self._reliable = reliable_wanted(node, self._topic, reliability)
        self._subscription = self._subscribe()
        self._timer = node.create_timer(_REFRESH_S, self._refresh, clock=_STEADY)

    def close(self) -> None:
        """Ends the subscription."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._subscription)

    def _refresh(self) -> None:
        """Subscribes anew where the publishers that are there now call for another reliability."""
        reliable = reliable_wanted(self._node, self._topic, self._reliability)
        if reliable != self._reliable:
            self._reliable = reliable
            self._node.destroy_subscription(self._subscription)
            self._subscription = self._subscribe()

    def _subscribe(self):  # type: ignore[no-untyped-def]
        profile = image_subscription(self._depth, reliable=self._reliable)
        return self._node.create_subscription(Image, self._topic, self._callback, profile)


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
        node: Node,
        result_type: type,
        topic: str,
        callback: Callable[[tuple[Image | None, Any]], None],
        config: ClassifierConfig | OverlayConfig,
    ) -> None:
        self._node, self._callback = node, callback
        self._matcher: StampMatcher[Image, Any] = StampMatcher(config.match_depth)
        self._last_result_s = 0.0
        self._images = ImageSubscription(
            node, self._on_image, depth=config.match_depth, reliability=config.image_reliability
        )
        self._results = node.create_subscription(result_type, topic, self._on_result, RESULTS)
        self._timer = node.create_timer(_GIVE_UP_S, self._give_up, clock=_STEADY)

    @property
    def unmatched(self) -> int:
        """Results so far that never met their image."""
        return self._matcher.unmatched

    def close(self) -> None:
        """Takes no more, and hands on what still waits."""
        self._images.close()
        self._node.destroy_subscription(self._results)
        self._node.destroy_timer(self._timer)
        self._hand_on(self._matcher.flush())

    def _on_image(self, message: Image) -> None:
        self._hand_on(self._matcher.add_picture(stamp_ns(message.header), message))

    def _on_result(self, message: Any) -> None:
        self._last_result_s = time.monotonic()
        self._hand_on(self._matcher.add_result(stamp_ns(message.header), message))

    def _give_up(self) -> None:
        if self._matcher.waiting and time.monotonic() - self._last_result_s > _GIVE_UP_S:
            self._hand_on(self._matcher.flush())

    def _hand_on(self, settled: list[tuple[Image | None, Any]]) -> None:
        for pair in settled:
            self._callback(pair)
