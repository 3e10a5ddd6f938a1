# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds out whether several nodes publish on a topic that is meant for one."""

import time
from collections.abc import Callable

from rclpy.node import Node

from emotion_perception.ros.qos import publishers_of

_LEASE_S = 30.0  # longer than a killed process stays in discovery, 20 s with Fast DDS


class PublisherCheck:
    """Names the nodes that publish on a topic if it has several publishers.

    Publishers of nodes with the same name count after half a minute: until then one of them may be a node that was
    killed and started again.

    Args:
        node: queries the graph.
        topic: resolved name.
        clock_s: steady time in seconds.
    """

    def __init__(self, node: Node, topic: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._node, self._topic, self._clock_s = node, topic, clock_s
        self._since_s: float | None = None

    def problem(self) -> str:
        """Returns which nodes publish on the topic, in one line; empty if a single one does."""
        several = self._node.count_publishers(self._topic) > 1
        publishers = publishers_of(self._node, self._topic) if several else None
        if publishers is None or len(publishers) < 2:
            self._since_s = None
            return ""
        names = {f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in publishers}
        if self._since_s is None:
            self._since_s = self._clock_s()
        if len(names) == 1 and self._clock_s() - self._since_s < _LEASE_S:
            return ""
        return (
            f"{self._topic} has {len(publishers)} publishers ({', '.join(sorted(names))}), and the images of all are "
            "taken for those of one camera"
        )
