import dataclasses
import importlib.util
from pathlib import Path

import pytest

from emotion_perception.core.config import CameraConfig, ClassifierConfig, DetectionConfig, OverlayConfig

pytest.importorskip("launch_ros", reason="launch files need launch_ros, which comes with a ROS from apt, not from PyPI")
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
