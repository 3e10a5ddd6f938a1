# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages by reference between the nodes of one process."""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import Header


@dataclass(frozen=True)
class SharedImage:
    """An image that stays in its process; takes the place of a sensor_msgs/Image.

    Attributes:
        header: as a message's.
        image_bgr: uint8 (H, W, 3), read-only: several threads look at it.
    """

    header: Header
    image_bgr: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Makes the image read-only; the array that was given stays as it is."""
        view = self.image_bgr.view()
        view.flags.writeable = False
        object.__setattr__(self, "image_bgr", view)


class LocalSubscription:
    """A bounded queue that its node's executor empties; the oldest message gives way, as in the middleware.

    Args:
        node: in whose executor the callback runs.
        callback: gets every message.
        depth: of the queue.
    """

    def __init__(self, node: Node, callback: Callable[[Any], None], depth: int) -> None:
        self._node, self._callback = node, callback
        self._queue: deque[Any] = deque(maxlen=depth)
        self._filled = node.create_guard_condition(self._empty)

    def put(self, message: object) -> None:
        """Hands in a message, from any thread; returns at once."""
        self._queue.append(message)
        self._filled.trigger()

    def destroy(self) -> None:
        """Forgets what waits; no `put` may follow."""
        self._node.destroy_guard_condition(self._filled)

    def _empty(self) -> None:
        while self._queue:
            self._callback(self._queue.popleft())


class IntraProcessTopics:
    """Where the nodes of one process hand images and results to each other; topics are resolved names.

    A subscriber takes a topic here while all its publishers are here, and from the middleware otherwise, never from
    both. So a publisher here has exactly those subscribers in the middleware that need its messages. A node that is
    alone in its process has one of its own, on which nobody is met.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._publishers: Counter[str] = Counter()
        self._subscriptions: defaultdict[str, list[LocalSubscription]] = defaultdict(list)

    def announce(self, topic: str) -> None:
        """Says that a publisher is here."""
        with self._lock:
            self._publishers[topic] += 1

    def withdraw(self, topic: str) -> None:
        """Takes back what `announce` said."""
        with self._lock:
            self._publishers[topic] -= 1

    def has_all_publishers(self, node: Node, topic: str) -> bool:
        """Tells whether there are publishers and all that the node knows of are here."""
        return 0 < self._publishers[topic] >= node.count_publishers(topic)

    def subscribe(self, node: Node, topic: str, callback: Callable[[Any], None], depth: int) -> Callable[[], None]:
        """Subscribes as `LocalSubscription` tells; returns what ends it."""
        subscription = LocalSubscription(node, callback, depth)
        with self._lock:
            self._subscriptions[topic].append(subscription)
        return lambda: self._end(topic, subscription)

    def subscribers(self, topic: str) -> int:
        """How many take their messages here."""
        with self._lock:
            return len(self._subscriptions[topic])

    def publish(self, topic: str, message: object) -> None:
        """Hands a message to all who take it here; returns at once. Nobody may change it any more."""
        with self._lock:
            for subscription in self._subscriptions[topic]:
                subscription.put(message)

    def _end(self, topic: str, subscription: LocalSubscription) -> None:
        with self._lock:
            self._subscriptions[topic].remove(subscription)
        subscription.destroy()
