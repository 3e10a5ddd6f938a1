# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A node that runs and reports but receives nothing any more is found."""

from collections import defaultdict

import pytest

from emotion_perception.ros.demo.stalled_nodes import StalledNodes

NAMES = ("camera_node", "face_detection_node", "emotion_classifier_node", "overlay_node")


class Graph:
    """Four nodes that report once a second what they have counted."""

    def __init__(self, names=NAMES):
        self.now_s = 100.0
        self.counts = defaultdict(int)
        self.silent = set()
        self._reported_s = {}
        self._nodes = StalledNodes(
            names, lambda *entry: self.counts[entry], self._reported_s.get, clock_s=lambda: self.now_s
        )

    def run(self, seconds, *, rate_hz=30, without=()):
        """Returns the nodes found meanwhile, in order."""
        found = []
        for _ in range(seconds):
            self.now_s += 1.0
            for name in set(NAMES) - self.silent:
                self._reported_s[name] = self.now_s
                for own in ("frames_published", "received", "processed", "drawn"):
                    if (name, own) not in without:
                        self.counts[name, own] += rate_hz
            found += self._nodes.find()
        return found


CLASSIFIER = ("emotion_classifier_node", "received")
OVERLAY = ("overlay_node", "drawn")


def test_nodes_that_receive_are_not_stalled():
    assert Graph().run(60) == []


@pytest.mark.parametrize("stalled", [("face_detection_node", "received"), CLASSIFIER, OVERLAY])
def test_a_node_that_receives_nothing_any_more_is_found_within_six_seconds(stalled):
    graph = Graph()
    assert graph.run(3) == []
    assert graph.run(6, without=[stalled]) == [stalled[0]]


def test_a_node_that_was_found_gets_time_to_start_again_and_is_then_found_again():
    graph = Graph()
    graph.run(3)
    assert graph.run(19, without=[CLASSIFIER]) == ["emotion_classifier_node"]
    graph.counts[CLASSIFIER] = 0  # it has started again
    assert graph.run(5, without=[CLASSIFIER]) == []
    assert graph.run(2, without=[CLASSIFIER]) == ["emotion_classifier_node"]
    assert graph.run(30) == []


@pytest.mark.parametrize(
    ("seconds", "rate_hz", "without", "silent"),
    [
        pytest.param(30, 30, [OVERLAY], (), id="an overlay that nobody has ever looked at"),
        pytest.param(10, 2, [CLASSIFIER], (), id="few images"),
        pytest.param(30, 0, [CLASSIFIER], (), id="no images"),
        pytest.param(30, 30, [CLASSIFIER], ("emotion_classifier_node",), id="a node that does not report"),
    ],
)
def test_what_is_no_stall(seconds, rate_hz, without, silent):
    graph = Graph()
    graph.run(3, without=without if OVERLAY in without else [])
    graph.silent = set(silent)
    assert graph.run(seconds, rate_hz=rate_hz, without=without) == []


def test_composed_nodes_are_not_watched():
    graph = Graph(names=("emotion_perception_composed",))
    graph.run(3)
    assert graph.run(30, without=[CLASSIFIER]) == []
