# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The RViz file names topics that the nodes have; the launch files open those of each camera, and its frame."""

from pathlib import Path

import pytest
import yaml

from emotion_perception.ros.config import CameraNodeConfig
from emotion_perception.ros.rviz_view import absolute_topic, camera_frame, rviz_view

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = (ROOT / "rviz" / "emotion_perception.rviz").read_text(encoding="utf-8")


def topics(text):
    """Returns name of the display -> (class, topic, reliability)."""
    displays = yaml.safe_load(text)["Visualization Manager"]["Displays"]
    assert all(display["Enabled"] for display in displays)
    return {
        display["Name"]: (
            display["Class"].removeprefix("rviz_default_plugins/"),
            display["Topic"]["Value"],
            display["Topic"]["Reliability Policy"],
        )
        for display in displays
    }


def test_the_file_opens_image_and_markers_in_the_frame_of_the_camera():
    assert topics(TEMPLATE) == {
        "Overlay": ("Image", "image_overlay", "Reliable"),
        "Faces": ("MarkerArray", "markers", "Reliable"),
    }
    options = yaml.safe_load(TEMPLATE)["Visualization Manager"]["Global Options"]
    assert options["Fixed Frame"] == CameraNodeConfig().frame_id


@pytest.mark.parametrize(("namespace", "prefix"), [("/", "/"), ("/robot", "/robot/")])
def test_the_topics_of_one_camera_have_its_namespace(namespace, prefix):
    text = rviz_view(TEMPLATE, [namespace], "front_optical")
    assert topics(text) == {
        "Overlay": ("Image", f"{prefix}image_overlay", "Reliable"),
        "Faces": ("MarkerArray", f"{prefix}markers", "Reliable"),
    }
    assert yaml.safe_load(text)["Visualization Manager"]["Global Options"]["Fixed Frame"] == "front_optical"


def test_each_camera_has_its_displays():
    assert topics(rviz_view(TEMPLATE, ["/robot/front", "/robot/rear"], "f")) == {
        "Overlay front": ("Image", "/robot/front/image_overlay", "Reliable"),
        "Faces front": ("MarkerArray", "/robot/front/markers", "Reliable"),
        "Overlay rear": ("Image", "/robot/rear/image_overlay", "Reliable"),
        "Faces rear": ("MarkerArray", "/robot/rear/markers", "Reliable"),
    }


@pytest.mark.parametrize(("image_topic", "shown"), [("image_raw", "/robot/image_raw"), ("/cam/image", "/cam/image")])
def test_without_overlay_the_images_are_shown(image_topic, shown):
    view = topics(rviz_view(TEMPLATE, ["/robot"], "f", image_topic=image_topic))
    assert view["Overlay"] == ("Image", shown, "Best Effort")
    assert view["Faces"] == ("MarkerArray", "/robot/markers", "Reliable")


@pytest.mark.parametrize(
    ("namespace", "topic", "full"),
    [
        ("", "", "/"),
        ("", "markers", "/markers"),
        ("/", "markers", "/markers"),
        ("robot", "markers", "/robot/markers"),
        ("/robot/", "front", "/robot/front"),
        ("robot", "/cam/image", "/cam/image"),
    ],
)
def test_a_topic_gets_its_namespace(namespace, topic, full):
    assert absolute_topic(namespace, topic) == full


FRAME = "ros__parameters: {frame_id: mine}"


@pytest.mark.parametrize(
    ("text", "namespace", "frame"),
    [
        ("", "/", "camera_optical_frame"),
        (f"camera_node: {{{FRAME}}}", "/", "mine"),
        (f"/camera_node: {{{FRAME}}}", "/", "mine"),
        (f"camera_node: {{{FRAME}}}", "/robot", "camera_optical_frame"),
        (f"/**: {{{FRAME}}}", "/robot/front", "mine"),
        (f"/**/camera_node: {{{FRAME}}}", "/robot/front", "mine"),
        (f"/*/camera_node: {{{FRAME}}}", "/front", "mine"),
        (f"/*/camera_node: {{{FRAME}}}", "/robot/front", "camera_optical_frame"),
        (f"robot: {{front: {{camera_node: {{{FRAME}}}}}}}", "/robot/front", "mine"),
        (f"/robot/front/camera_node: {{{FRAME}}}", "/robot/rear", "camera_optical_frame"),
        (f"/**: {{{FRAME}}}\nrear: {{camera_node: {{ros__parameters: {{frame_id: its}}}}}}", "/rear", "its"),
        (f"overlay_node: {{{FRAME}}}", "/", "camera_optical_frame"),
        ("camera_node: {ros__parameters: {framerate: 30.0}}", "/", "camera_optical_frame"),
    ],
)
def test_the_frame_is_the_one_that_the_parameter_file_gives_the_camera(tmp_path, text, namespace, frame):
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    assert camera_frame(path, namespace) == frame


def test_the_shipped_parameter_file_has_the_default_frame():
    assert camera_frame(ROOT / "config/emotion_perception.yaml", "/robot/front") == CameraNodeConfig().frame_id
