# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

from types import SimpleNamespace

import pytest

from emotion_perception.ros.transport.publisher_check import PublisherCheck

TOPIC = "/image_raw"


class Graph:
    """Lists publishers, each by the name of its node and a number of its own."""

    def __init__(self):
        self.listed = []

    def count_publishers(self, topic):
        return len(self.listed)

    def get_publishers_info_by_topic(self, topic):
        return [SimpleNamespace(node_namespace="/", node_name=name, endpoint_gid=[gid]) for name, gid in self.listed]


@pytest.fixture
def graph():
    return Graph()


def test_a_node_that_is_killed_and_started_again_and_again_is_one_camera(graph):
    now_s = 0.0
    check = PublisherCheck(graph, TOPIC, lambda: now_s)
    for number in range(20):
        graph.listed = [("camera", gid) for gid in range(max(number - 2, 0), number + 1)]  # killed ones stay for 20 s
        assert check.problem() == ""
        now_s += 8


def test_two_nodes_of_one_name_that_stay_are_several(graph):
    now_s = 0.0
    check = PublisherCheck(graph, TOPIC, lambda: now_s)
    graph.listed = [("camera", 1), ("camera", 2)]
    assert check.problem() == ""
    now_s = 31.0
    assert check.problem().startswith("/image_raw has several publishers (/camera), ")


def test_a_publisher_whose_node_is_not_known_yet_does_not_count(graph):
    check = PublisherCheck(graph, TOPIC)
    graph.listed = [("camera", 1), ("_NODE_NAME_UNKNOWN_", 2)]
    assert check.problem() == ""
    graph.listed = [("camera", 1), ("player", 2), ("_NODE_NAME_UNKNOWN_", 3)]
    assert check.problem().startswith("/image_raw has several publishers (/camera, /player), ")
