# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the layouts of viewers show is published by the nodes that a user runs."""

import contextlib
from pathlib import Path

import pytest
from file_loading import load_file
from node_processes import COMPOSED, Probe, needs_detector, start

TOPICS = load_file(Path(__file__).resolve().parents[1] / "test_layouts.py").TOPICS


@pytest.mark.guarantee(
    "Every topic and field in the layouts of Foxglove, PlotJuggler and rqt exists.", section="Seeing it"
)
def test_the_topics_of_the_layouts_are_published_with_their_types():
    needs_detector()
    process = start(COMPOSED, "video_device:=synthetic")
    try:
        with contextlib.closing(Probe(process)) as probe:
            probe.wait_for_active("overlay_node")

            def published():
                names = dict(probe.node.get_topic_names_and_types())
                return {name: names.get(name, ["nothing"])[0] for name in expected}

            expected = {name: kind for name, kind in TOPICS.items() if not kind.startswith("foxglove_msgs/")}
            probe.wait(lambda: published() == expected, "a topic of the layouts is not published")
            assert all(probe.node.count_publishers(name) for name in expected)
    finally:
        process.kill()
        process.communicate()
