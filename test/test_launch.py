import dataclasses
import importlib.util
from pathlib import Path

import pytest

from emotion_perception.core.config import TRANSPORTS, CameraConfig, ClassifierConfig, DetectionConfig, OverlayConfig

pytest.importorskip("launch_ros", reason="launch files need launch_ros, which comes with a ROS from apt, not from PyPI")
from launch import LaunchContext

PATH = Path(__file__).resolve().parents[1] / "launch" / "emotion_perception.launch.py"
CONFIGS = {
    "camera_node": CameraConfig,
    "face_detection_node": DetectionConfig,
    "emotion_classifier_node": ClassifierConfig,
    "overlay_node": OverlayConfig,
}


@pytest.fixture(scope="module")
def launch_file():
    spec = importlib.util.spec_from_file_location("launch_file", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_argument_is_described(launch_file):
    arguments = launch_file.generate_launch_description().get_launch_arguments()
    assert {argument.name for argument in arguments} == set(launch_file.ARGUMENTS)
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
def test_compressed_pictures_are_one_argument(launch_file, compressed, transport):
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


@pytest.mark.parametrize(
    ("image_topic", "info_topic"),
    [("image_raw", "camera_info"), ("/front/image_raw", "/front/camera_info"), ("cam/image", "cam/camera_info")],
)
def test_the_calibration_is_beside_the_images(launch_file, image_topic, info_topic):
    context = LaunchContext()
    context.launch_configurations["image_topic"] = image_topic
    assert launch_file.camera_info_topic(context) == info_topic
