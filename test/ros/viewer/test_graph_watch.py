# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the page knows of the graph."""

import pytest

pytest.importorskip("nicegui", reason="the extra web is not installed: scripts/setup.sh web")

from emotion_perception.ros.viewer.graph_watch import GraphWatch
from emotion_perception.web.graph import GraphState


class Node:
    """A node in a large graph."""

    def __init__(self):
        self.counted = []

    def create_subscription(self, *arguments, **options):
        pass

    def get_node_names_and_namespaces(self):
        return [("seen", "/"), ("_hidden", "/")]

    def get_topic_names_and_types(self):
        return [("/rosout", ["rcl_interfaces/msg/Log"])] + [
            (f"/topic{number:03}", ["x/msg/X"]) for number in range(300)
        ]

    def count_publishers(self, name):
        self.counted.append(name)
        return 1

    def count_subscribers(self, name):
        return 2


def test_of_a_large_graph_only_the_topics_that_are_shown_are_counted():
    node, state = Node(), GraphState()
    GraphWatch(node, state, [], lambda raw: None).check()
    shown = [topic.name for topic in state.topics()]
    assert shown == node.counted == [f"/topic{number:03}" for number in range(60)]
    assert [view.name for view in state.nodes()] == ["/seen"]
