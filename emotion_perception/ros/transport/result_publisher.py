# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The publisher of faces and of emotions."""

from typing import Any

from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.qos import RESULTS


class ResultPublisher:
    """Publishes results: to the nodes of this process by reference, to others while there are any.

    Args:
        node: the publisher, whose life cycle opens and closes it.
        message_type: of the topic.
        topic: relative or full name.
    """

    def __init__(self, node: PerceptionNode[Any], message_type: type, topic: str) -> None:
        self._node, self._local = node, node.intra_process
        self._publisher = node.create_lifecycle_publisher(message_type, topic, RESULTS)
        self._local.announce(self._publisher.topic_name)

    def publish(self, message: Any) -> None:
        """Publishes a message, which nobody may change any more."""
        self._local.publish(self._publisher.topic_name, message)
        if self._publisher.get_subscription_count():
            self._publisher.publish(message)
        self._node.note_published(message.header)

    def close(self) -> None:
        """Withdraws the topic."""
        self._local.withdraw(self._publisher.topic_name)
        self._node.destroy_lifecycle_publisher(self._publisher)
