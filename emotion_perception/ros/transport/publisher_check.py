# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds out whether several nodes publish on a topic that is meant for one."""

import time
from collections.abc import Callable

from rclpy.node import Node

from emotion_perception.ros.qos import publishers_of

_LEASE_S = 30.0  # longer than a killed process stays in discovery, 20 s with Fast DDS
_UNKNOWN = "_NODE_NAME_UNKNOWN_"  # of a publisher whose node has not been discovered yet


class PublisherCheck:
    """Names the nodes that publish on a topic if it has several publishers.

    Several publishers of nodes with the same name count once they have been there together for half a minute: until
    then some of them may be of a node that was killed and started again.

    Args:
        node: queries the graph.
        topic: resolved name.
        clock_s: steady time in seconds.
    """

    def __init__(self, node: Node, topic: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._node, self._topic, self._clock_s = node, topic, clock_s
        self._known: set[tuple[int, ...]] = set()
        self._since_s = clock_s()

    def problem(self) -> str:
        """Returns which nodes publish on the topic, in one line; empty if a single one does."""
        several = self._node.count_publishers(self._topic) > 1
        listed = publishers_of(self._node, self._topic) if several else None
        publishers = [info for info in listed or () if info.node_name != _UNKNOWN]
        known = {tuple(info.endpoint_gid) for info in publishers}
        if known != self._known:
            self._known, self._since_s = known, self._clock_s()
        names = {f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in publishers}
        if len(publishers) < 2 or (len(names) == 1 and self._clock_s() - self._since_s < _LEASE_S):
            return ""
        return (
            f"{self._topic} has several publishers ({', '.join(sorted(names))}), and the images of all are taken for "
            "those of one camera"
        )
