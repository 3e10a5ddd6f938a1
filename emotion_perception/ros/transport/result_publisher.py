# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The publisher of faces and of emotions."""

from contextlib import ExitStack
from typing import Any

from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.qos import RESULTS


class ResultPublisher:
    """Publishes results: to nodes of the same process by reference, to other processes while they subscribe.

    Args:
        node: the publisher, whose lifecycle opens and closes it.
        message_type: of the topic.
        topic: relative or absolute name.
        resources: destroys the publisher.
    """

    def __init__(self, node: PerceptionNode[Any], message_type: type, topic: str, resources: ExitStack) -> None:
        self._node = node
        self._publisher = node.create_lifecycle_publisher(message_type, topic, RESULTS)
        resources.callback(node.destroy_lifecycle_publisher, self._publisher)
        resources.callback(node.intra_process.advertise(self._publisher.topic_name))

    def publish(self, message: Any) -> None:
        """Publishes a message, which must not be changed afterwards."""
        self._node.intra_process.publish(self._publisher.topic_name, message)
        if self._publisher.get_subscription_count():
            self._publisher.publish(message)
        self._node.note_published(message.header)
