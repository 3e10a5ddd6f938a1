# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The RViz file names topics and frames that the nodes have."""

from pathlib import Path

import pytest
import yaml

from emotion_perception.ros.config import CameraNodeConfig

PATH = Path(__file__).resolve().parents[1] / "rviz" / "emotion_perception.rviz"


@pytest.fixture
def manager():
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))["Visualization Manager"]


@pytest.mark.parametrize(("kind", "topic"), [("Image", "image_overlay"), ("MarkerArray", "markers")])
def test_it_opens_image_and_markers(manager, kind, topic):
    (display,) = [entry for entry in manager["Displays"] if entry["Class"] == f"rviz_default_plugins/{kind}"]
    assert display["Enabled"]
    assert display["Topic"]["Value"] == topic
    assert display["Topic"]["Reliability Policy"] == "Reliable"


def test_its_frame_is_the_cameras(manager):
    assert manager["Global Options"]["Fixed Frame"] == CameraNodeConfig().frame_id
