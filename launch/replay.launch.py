# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plays a recording's images through face detection, emotion classifier and overlay, on the recording's clock.

`ros2 launch emotion_perception replay.launch.py bag:=FOLDER`; `--show-args` lists the arguments. `ros2 bag play` plays
it where it is installed, otherwise this package's bag_player. The launch ends two seconds after the recording.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

from ament_index_python.packages import get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetLaunchConfiguration,
    Shutdown,
    TimerAction,
)
from launch.conditions import IfCondition, UnlessCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node, PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue

from emotion_perception.core.paths import local_path
from emotion_perception.ros.launch_arguments import (
    check_arguments,
    enclave_arguments,
    has_ros2bag,
    refuse_misspelled_arguments,
)
from emotion_perception.ros.rviz_view import absolute_topic
from launch import LaunchDescription

PACKAGE = "emotion_perception"
MAIN = Path(__file__).with_name("emotion_perception.launch.py")
PLAYERS = ["auto", "ros2bag", "bag_player"]
ROS2BAG = ["auto", "ros2bag"] if has_ros2bag() else ["ros2bag"]  # player:= that mean ros2bag
WITH_ROS2BAG = PythonExpression([repr(ROS2BAG), ".count('", LaunchConfiguration("player"), "') > 0"])
SUBSCRIBERS = 2  # of the images: detection and classifier; the overlay subscribes only while it has subscribers itself
START_S, END_S = 5.0, 2.0  # ros2 bag play does not wait for subscribers; the last images still have to be processed
PASSED = (
    "namespace",
    "params_file",
    "use_overlay",
    "rviz",
    "rviz_frame",
    "device",
    "model",
    "detector",
    "publish_hri",
    "publish_hri_cropped",
    "publish_vision_msgs",
    "publish_tf",
    "log_level",
    "enclave",
)


def load(path):
    """Returns a launch file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem.partition(".")[0], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ARGUMENTS = [
    DeclareLaunchArgument("bag", description="the recording: a rosbag2 folder, or a .mcap or .db3 file"),
    DeclareLaunchArgument(
        "topic", default_value="", description="its image topic; empty takes the only one, or the one of a camera"
    ),
    DeclareLaunchArgument("rate", default_value="1.0", description="playback speed relative to the recording"),
    DeclareLaunchArgument(
        "loop",
        default_value="false",
        choices=["true", "false", "True", "False"],
        description="start again at the end.",
    ),
    DeclareLaunchArgument(
        "player",
        default_value="auto",
        choices=PLAYERS,
        description="which program plays; auto takes ros2bag where it is installed.",
    ),
    *(argument for argument in load(MAIN).ARGUMENTS if argument.name in PASSED),
]


def generate_launch_description() -> LaunchDescription:
    """Returns the arguments, the nodes without a camera, and the player."""
    fixed = {"use_camera": "false", "use_sim_time": "true", "compressed": LaunchConfiguration("compressed")}
    passed = {name: LaunchConfiguration(name) for name in PASSED}
    nodes = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(MAIN)), launch_arguments=[*passed.items(), *fixed.items()]
    )
    before = [OpaqueFunction(function=_check_arguments), OpaqueFunction(function=_read_recording)]
    return LaunchDescription([*ARGUMENTS, *before, GroupAction([nodes]), OpaqueFunction(function=_player)])


def _check_arguments(context):
    """Raises ConfigurationError if an argument is misspelled, or a value cannot be that of its argument."""
    known = {argument.name for argument in [*ARGUMENTS, *load(MAIN).ARGUMENTS]}
    refuse_misspelled_arguments(context.argv, known, Path(__file__), sys.argv)
    check_arguments(context.launch_configurations, {argument.name for argument in ARGUMENTS})


def _read_recording(context):
    """Finds the image topic of the recording, whether its images are compressed, and their frame.

    The installed program reads it: what reads recordings may be in a virtual environment that `ros2 launch` is not in.

    Raises:
        RuntimeError: the recording cannot be read or has no such topic, or a Python package is missing.
    """
    given = context.launch_configurations
    program = Path(get_package_prefix(PACKAGE), "lib", PACKAGE, "emotion-perception")
    options = ["--topic", given["topic"]] if given["topic"] else []
    read = subprocess.run(
        [program, "image-topic", *options, "--", given["bag"]], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if read.returncode:
        reason = read.stderr.strip().removeprefix("emotion-perception: ").replace("with --topic", "with topic:=TOPIC")
        raise RuntimeError(reason)
    topic, kind, frame = read.stdout.split("\n")[:3]  # the frame may be empty
    return [
        SetLaunchConfiguration("recorded_images", topic),
        SetLaunchConfiguration("compressed", str(kind.endswith("/CompressedImage")).lower()),
        SetLaunchConfiguration("rviz_frame", given["rviz_frame"] or frame),
    ]


def _player(context):
    """Returns both players; conditions start one of them, and the launch ends after it."""
    given = context.launch_configurations
    types = {"bag": str, "topic": str, "rate": float, "loop": bool}
    values = {name: ParameterValue(LaunchConfiguration(name), value_type=kind) for name, kind in types.items()}
    bag_player = Node(
        package=PACKAGE,
        executable="bag_player",
        parameters=[LaunchConfiguration("params_file"), {**values, "subscribers": SUBSCRIBERS}],
        arguments=["--ros-args", *enclave_arguments(given["enclave"], "bag_player")],
        output="screen",
        on_exit=_at_end,
    )
    ros2bag = ExecuteProcess(cmd=ros2bag_command(given, given["recorded_images"]), output="screen", on_exit=_at_end)
    return [
        TimerAction(period=START_S, actions=[ros2bag], condition=IfCondition(WITH_ROS2BAG)),
        GroupAction(
            [PushRosNamespace(LaunchConfiguration("namespace")), bag_player], condition=UnlessCondition(WITH_ROS2BAG)
        ),
    ]


def _at_end(event, context):
    """Ends the launch after the player.

    Raises:
        RuntimeError: the player has failed; launch ends all processes then, and its exit code is 1.
    """
    if context.is_shutdown:
        return []
    if event.returncode:
        raise RuntimeError(f"the player {event.process_name} ended with exit code {event.returncode}")
    return [TimerAction(period=END_S, actions=[Shutdown(reason="the recording has ended")])]


def ros2bag_command(given, images):
    """Returns the command line of `ros2 bag play` that plays the images and their calibration, not the results."""
    suffix = "/compressed" if images.endswith("/compressed") else ""
    info = images.removesuffix("/compressed").rpartition("/")[0] + "/camera_info"
    names = {images: f"image_raw{suffix}", info: "camera_info"}
    remaps = [f"{recorded}:={absolute_topic(given['namespace'], played)}" for recorded, played in names.items()]
    loop = ["--loop"] if given["loop"].lower() == "true" else []
    options = ["--clock", "100", "--rate", given["rate"], *loop]
    return ["ros2", "bag", "play", str(local_path(given["bag"])), *options, "--topics", *names, "--remap", *remaps]
