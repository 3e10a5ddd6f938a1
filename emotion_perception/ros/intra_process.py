# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Passes messages by reference between the nodes of one process."""

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
    """An image that stays in its process, in place of a sensor_msgs/Image.

    Attributes:
        header: as that of the message.
        image_bgr: uint8 (H, W, 3) BGR, read-only: several threads read it.
    """

    header: Header
    image_bgr: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Makes the image read-only; the array that was given stays writable."""
        view = self.image_bgr.view()
        view.flags.writeable = False
        object.__setattr__(self, "image_bgr", view)


class IntraProcessSubscription:
    """A bounded queue that the executor of its node empties; if it is full, the oldest message is dropped.

    Args:
        node: its executor calls the callback.
        callback: gets every message.
        depth: of the queue.
    """

    def __init__(self, node: Node, callback: Callable[[Any], None], depth: int) -> None:
        self._node, self._callback = node, callback
        self._queue: deque[Any] = deque(maxlen=depth)
        self._filled = node.create_guard_condition(self.take_all)

    def put(self, message: object) -> None:
        """Appends a message, from any thread, and returns at once."""
        self._queue.append(message)
        self._filled.trigger()

    def take_all(self) -> None:
        """Passes the queued messages to the callback."""
        while self._queue:
            self._callback(self._queue.popleft())

    def destroy(self) -> None:
        """Destroys the queue; no `put` may follow."""
        self._node.destroy_guard_condition(self._filled)


class IntraProcessTopics:
    """The topics by which nodes of one process exchange images and results; topics are fully resolved names.

    A subscriber receives a topic within the process while all its publishers are in the process, and from the
    middleware otherwise, never from both. So a publisher has exactly those subscribers in the middleware that need its
    messages. A node that is alone in its process has an instance of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._publishers: Counter[str] = Counter()
        self._subscriptions: defaultdict[str, list[IntraProcessSubscription]] = defaultdict(list)

    def advertise(self, topic: str) -> Callable[[], None]:
        """Registers a publisher; returns a function that removes it again."""
        with self._lock:
            self._publishers[topic] += 1
        return lambda: self._withdraw(topic)

    def has_all_publishers(self, node: Node, topic: str) -> bool:
        """Returns whether the topic has publishers and all that the node has discovered are in this process."""
        with self._lock:
            in_process = self._publishers[topic]
        return 0 < in_process >= node.count_publishers(topic)

    def subscribe(self, node: Node, topic: str, callback: Callable[[Any], None], depth: int) -> Callable[[], None]:
        """Subscribes to a topic.

        Args:
            node: its executor calls the callback.
            topic: resolved name.
            callback: gets every message.
            depth: of the queue.

        Returns:
            A function that ends the subscription, after the callback has got the messages that are still queued.
        """
        subscription = IntraProcessSubscription(node, callback, depth)
        with self._lock:
            self._subscriptions[topic].append(subscription)
        return lambda: self._unsubscribe(topic, subscription)

    def subscribers(self, topic: str) -> int:
        """Returns the number of subscribers in this process."""
        with self._lock:
            return len(self._subscriptions[topic])

    def publish(self, topic: str, message: object) -> None:
        """Queues a message, which must not be changed afterwards, for all subscribers in this process."""
        with self._lock:
            for subscription in self._subscriptions[topic]:
                subscription.put(message)

    def _withdraw(self, topic: str) -> None:
        with self._lock:
            self._publishers[topic] -= 1

    def _unsubscribe(self, topic: str, subscription: IntraProcessSubscription) -> None:
        with self._lock:
            self._subscriptions[topic].remove(subscription)
        subscription.take_all()
        subscription.destroy()
