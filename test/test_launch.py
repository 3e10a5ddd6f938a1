# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import dataclasses
import importlib.machinery
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from bag_files import write_bag
from file_loading import load_file

from emotion_perception.bags.io.messages import NS
from emotion_perception.core.config import (
    STORAGES,
    TRANSPORTS,
    CameraConfig,
    ClassifierConfig,
    DetectionConfig,
    OverlayConfig,
    RecorderConfig,
)
from emotion_perception.core.errors import RecordingError

pytest.importorskip("launch_ros", reason="launch files need launch_ros, which comes with a ROS from apt, not from PyPI")
from launch.actions import ExecuteProcess, IncludeLaunchDescription, TimerAction
from launch.substitutions import TextSubstitution
from launch.utilities import perform_substitutions
from launch_ros.actions import Node

from launch import LaunchContext

FOLDER = Path(__file__).resolve().parents[1] / "launch"
CONFIGS = {
    "camera_node": CameraConfig,
    "face_detection_node": DetectionConfig,
    "emotion_classifier_node": ClassifierConfig,
    "overlay_node": OverlayConfig,
}


def load(name):
    return load_file(FOLDER / f"{name}.launch.py")


@pytest.fixture(scope="module")
def launch_file():
    return load("emotion_perception")


@pytest.mark.parametrize("name", ["emotion_perception", "replay", "record"])
def test_every_argument_is_described(name):
    arguments = load(name).generate_launch_description().get_launch_arguments()
    assert {argument.name for argument in arguments} == set(load(name).ARGUMENTS)
    assert all(argument.description for argument in arguments)


def test_what_an_argument_overrides_is_a_parameter_of_that_node(launch_file):
    for node, names in launch_file.OVERRIDES.items():
        assert set(names) <= {field.name for field in dataclasses.fields(CONFIGS[node])}


def given(launch_file, **arguments):
    """Returns what the arguments give each node: executable -> {parameter: text}."""
    context = LaunchContext()
    context.launch_configurations.update({**dict.fromkeys(launch_file.ARGUMENTS, ""), **arguments})
    return {node: launch_file.given(context, node) for node in launch_file.OVERRIDES}


@pytest.mark.parametrize(("compressed", "transport"), [("false", None), ("true", "compressed")])
def test_compressed_images_are_one_argument(launch_file, compressed, transport):
    transports = {
        node: texts.get("image_transport") for node, texts in given(launch_file, compressed=compressed).items()
    }
    assert transports == {node: None if node == "camera_node" else transport for node in CONFIGS}
    assert transport is None or transport in TRANSPORTS


def test_an_argument_that_is_left_empty_leaves_the_parameter_file_alone(launch_file):
    assert given(launch_file) == {node: {} for node in CONFIGS}
    assert given(launch_file, video_device="0")["camera_node"] == {"video_device": "0"}


def test_the_nodes_are_made(launch_file):
    context = LaunchContext()
    context.launch_configurations.update({**dict.fromkeys(launch_file.ARGUMENTS, ""), "use_camera": "true"})
    assert [node.node_executable for node in launch_file._nodes(context)] == [
        "camera_node",
        "face_detection_node",
        "emotion_classifier_node",
    ]


def several(launch_file, **arguments):
    """Returns the processes of cameras: (namespace, executable) -> the parameters that the arguments give it."""
    context = LaunchContext()
    context.launch_configurations.update(dict.fromkeys(launch_file.ARGUMENTS, ""))
    context.launch_configurations.update(use_camera="true", use_overlay="true", image_topic="image_raw", **arguments)
    found = {}
    for node in launch_file._nodes(context):
        node._perform_substitutions(context)
        names = {name for part in node._Node__parameters if isinstance(part, dict) for name in _names(part, context)}
        found[node.expanded_node_namespace, node.node_executable] = names - {"use_sim_time"}
    return found


def _names(parameters, context):
    return [perform_substitutions(context, name) for name in parameters]


def test_several_cameras_share_one_classifier(launch_file):
    processes = several(launch_file, cameras="front, rear", video_device="0,2", namespace="robot")
    each = {"camera_node": {"video_device"}, "face_detection_node": set(), "overlay_node": set()}
    expected = {(f"/robot/{camera}", name): names for camera in ("front", "rear") for name, names in each.items()}
    assert processes == {**expected, ("/robot", "emotion_classifier_node"): {"image_topics"}}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"video_device": "0"}, "video_device: 1 sources for 2 cameras"),
        ({"composed": "true"}, "are for one camera"),
        ({"image_topic": "/image"}, "are for one camera"),
    ],
)
def test_what_several_cameras_cannot_have_is_told(launch_file, arguments, complaint):
    context = LaunchContext()
    context.launch_configurations.update(dict.fromkeys(launch_file.ARGUMENTS, ""))
    context.launch_configurations.update(cameras="front,rear", **arguments)
    with pytest.raises(RuntimeError, match=complaint):
        launch_file._nodes(context)


@pytest.mark.parametrize("camera", ["true", "false"])
@pytest.mark.parametrize("overlay", ["true", "false"])
def test_composed_nodes_are_one_process_with_the_same_parameters(launch_file, camera, overlay):
    context = LaunchContext()
    context.launch_configurations.update(dict.fromkeys(launch_file.ARGUMENTS, ""))
    context.launch_configurations.update(composed="true", use_camera=camera, use_overlay=overlay, model="m")
    (process,) = launch_file._nodes(context)
    assert process.node_executable == "emotion_perception_composed"
    words = [part.text for argument in process.cmd[1:] for part in argument if isinstance(part, TextSubstitution)]
    assert ("--no-camera" in words, "--no-overlay" in words) == (camera == "false", overlay == "false")


@pytest.mark.parametrize(
    ("image_topic", "info_topic"),
    [("image_raw", "camera_info"), ("/front/image_raw", "/front/camera_info"), ("cam/image", "cam/camera_info")],
)
def test_the_calibration_is_beside_the_images(launch_file, image_topic, info_topic):
    context = LaunchContext()
    context.launch_configurations["image_topic"] = image_topic
    assert launch_file.camera_info_topic(context) == info_topic


def actions(name, **arguments):
    """Returns what a launch file of recordings does with those arguments, the others at their defaults or empty."""
    launch_file = load(name)
    context = LaunchContext()
    defaults = {key: default if isinstance(default, str) else "" for key, (default, _) in launch_file.ARGUMENTS.items()}
    context.launch_configurations.update({**defaults, **arguments})
    return launch_file._actions(context)


@pytest.fixture
def bag(tmp_path):
    def make(**options):
        image = np.zeros((48, 64, 3), np.uint8)
        return str(write_bag(tmp_path / "bag", [image, image], [NS, 2 * NS], **options))

    return make


@pytest.fixture(params=[True, False], ids=["rosbag2", "no rosbag2"])
def has_rosbag2(request, monkeypatch):
    find_spec = importlib.util.find_spec
    there = importlib.machinery.ModuleSpec("ros2bag", None) if request.param else None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there if name == "ros2bag" else find_spec(name))
    return request.param


def process_of(action):
    """Returns what is started in the end: the words of a command, or a node's executable."""
    if isinstance(action, TimerAction):
        (action,) = action.actions
    if isinstance(action, Node):
        return action.node_executable
    assert isinstance(action, ExecuteProcess)
    return [part.text for words in action.cmd for part in words]


@pytest.mark.parametrize(("compressed", "transport"), [(False, "false"), (True, "true")])
def test_a_replay_is_the_main_launch_file_without_camera_in_the_recordings_time(bag, compressed, transport):
    nodes, _ = actions("replay", bag=bag(compressed=compressed), detector="haar", namespace="front")
    assert isinstance(nodes, IncludeLaunchDescription)
    arguments = dict(nodes.launch_arguments)
    assert arguments.keys() <= load("emotion_perception").ARGUMENTS.keys()
    fixed = {"use_camera": "false", "use_sim_time": "true", "compressed": transport}
    assert arguments.items() >= {**fixed, "detector": "haar", "namespace": "front"}.items()


def test_a_recording_is_played_by_ros2_bag_where_that_is_installed(bag, has_rosbag2):
    _, player = actions("replay", bag=bag(topic="/cam/image_raw"), namespace="front", rate="0.5")
    if not has_rosbag2:
        assert process_of(player) == "bag_player"
        return
    words = process_of(player)
    assert words[:3] == ["ros2", "bag", "play"]
    assert words[words.index("--rate") + 1] == "0.5"
    assert words[words.index("--topics") + 1 : words.index("--remap")] == ["/cam/image_raw", "/cam/camera_info"]
    assert words[words.index("--remap") + 1 :] == [
        "/cam/image_raw:=/front/image_raw",
        "/cam/camera_info:=/front/camera_info",
    ]


def test_compressed_images_keep_their_ending(bag):
    _, player = actions("replay", bag=bag(topic="/image_raw/compressed", compressed=True), player="ros2bag")
    assert "/image_raw/compressed:=/image_raw/compressed" in process_of(player)
    assert "--loop" not in process_of(player)


def test_a_player_that_is_asked_for_is_taken(bag, has_rosbag2):
    path = bag()
    assert process_of(actions("replay", bag=path, player="bag_player")[1]) == "bag_player"
    assert "--loop" in process_of(actions("replay", bag=path, player="ros2bag", loop="true")[1])


def test_a_recording_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RecordingError, match="absent: no such file or folder"):
        actions("replay", bag=str(tmp_path / "absent"))


@pytest.mark.parametrize(("distro", "option"), [("humble", []), ("jazzy", ["--topics"])])
def test_ros2_bag_records_where_it_is_installed(has_rosbag2, monkeypatch, distro, option):
    monkeypatch.setenv("ROS_DISTRO", distro)
    (recorder,) = actions("record", bag="out", topics="image_raw /tf", namespace="front")
    command = ["ros2", "bag", "record", "--output", "out", "--storage", "mcap", *option, "/front/image_raw", "/tf"]
    assert process_of(recorder) == (command if has_rosbag2 else "bag_recorder")


def test_the_topics_are_those_of_the_recorder():
    assert tuple(load("record").ARGUMENTS["topics"][0].split()) == RecorderConfig().topics
    assert load("record").STORAGES == STORAGES
