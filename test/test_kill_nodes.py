# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What `make test-kills` makes of its figures: which nodes were lost, which were late."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="the kill test needs ROS")
sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from kill_nodes import summary_of


def row(program, seconds):
    return {"program": program, "demo": 0, "seconds": seconds, "killed_unix_s": 0.0, "state": ""}


@pytest.mark.parametrize(
    ("seconds", "cold_starts", "lost", "late"),
    [
        ([3.0, 4.0], [3.0, 3.5], 0, 0),
        ([3.0, 4.6], [3.0, 3.5], 0, 1),
        ([3.0, None, 4.0], [3.5], 1, 0),
        ([None, None], [3.5], 2, 0),
        ([100.0], [], 0, 0),
    ],
)
def test_a_node_is_late_a_second_after_its_longest_cold_start(seconds, cold_starts, lost, late):
    rows = [row("camera_node", each) for each in seconds] + [row("overlay_node", 1.0)]
    summary = summary_of(rows, {"camera_node": cold_starts, "overlay_node": [1.0]})
    assert summary["camera_node"]["kills"] == len(seconds)
    assert (summary["camera_node"]["lost"], summary["camera_node"]["late"]) == (lost, late)
    assert summary["overlay_node"]["kills"] == 1
