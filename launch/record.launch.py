# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Records images and the nodes' results until Ctrl-C.

`ros2 launch emotion_perception record.launch.py bag:=FOLDER` beside the running nodes; `--show-args` lists the
arguments. `ros2 bag record` records where it is installed, otherwise this package's bag_recorder.
"""

import os
import sys
from pathlib import Path

from launch.actions import DeclareLaunchArgument, ExecuteProcess, GroupAction, OpaqueFunction
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node, PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue

from emotion_perception.core.paths import local_path
from emotion_perception.ros.config import STORAGES, RecorderConfig
from emotion_perception.ros.launch_arguments import (
    check_arguments,
    enclave_arguments,
    has_ros2bag,
    refuse_misspelled_arguments,
)
from emotion_perception.ros.rviz_view import absolute_topic
from launch import LaunchDescription

PACKAGE = "emotion_perception"
RECORDERS = ["auto", "ros2bag", "bag_recorder"]
ROS2BAG = ["auto", "ros2bag"] if has_ros2bag() else ["ros2bag"]  # recorder:= that mean ros2bag
WITH_ROS2BAG = PythonExpression([repr(ROS2BAG), ".count('", LaunchConfiguration("recorder"), "') > 0"])
TRUE_OR_FALSE = ["true", "false", "True", "False"]
ARGUMENTS = [
    DeclareLaunchArgument("bag", description="the rosbag2 folder to create; it must not exist"),
    DeclareLaunchArgument(
        "topics",
        default_value=" ".join(RecorderConfig().topics),
        description="topics to record, separated by spaces",
    ),
    DeclareLaunchArgument("storage", default_value="mcap", choices=[*STORAGES], description="format of the file."),
    DeclareLaunchArgument(
        "recorder",
        default_value="auto",
        choices=RECORDERS,
        description="which program records; auto takes ros2bag where it is installed.",
    ),
    DeclareLaunchArgument("namespace", default_value="", description="namespace of the topics"),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="false",
        choices=TRUE_OR_FALSE,
        description="take the time of reception from /clock.",
    ),
    DeclareLaunchArgument(
        "enclave",
        default_value="",
        description="with ROS security: bag_recorder gets the enclave ENCLAVE/bag_recorder of the keystore; "
        "empty sets none",
    ),
]


def generate_launch_description() -> LaunchDescription:
    """Returns the arguments and the recorder."""
    recorder = [PushRosNamespace(LaunchConfiguration("namespace")), OpaqueFunction(function=_recorder)]
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=_check_arguments), GroupAction(recorder)])


def _check_arguments(context):
    """Raises ConfigurationError if an argument is misspelled, or a value cannot be that of its argument."""
    known = {argument.name for argument in ARGUMENTS}
    refuse_misspelled_arguments(context.argv, known, Path(__file__), sys.argv)
    check_arguments(context.launch_configurations, known)


def _recorder(context):
    """Returns both recorders; conditions start one of them."""
    given = context.launch_configurations
    topics = given["topics"].split()
    types = {"bag": str, "storage": str, "use_sim_time": bool}
    values = {name: ParameterValue(LaunchConfiguration(name), value_type=kind) for name, kind in types.items()}
    return [
        ExecuteProcess(cmd=ros2bag_command(given, topics), output="screen", condition=IfCondition(WITH_ROS2BAG)),
        Node(
            package=PACKAGE,
            executable="bag_recorder",
            parameters=[{**values, "topics": topics}],
            arguments=["--ros-args", *enclave_arguments(given["enclave"], "bag_recorder")],
            output="screen",
            condition=UnlessCondition(WITH_ROS2BAG),
        ),
    ]


def ros2bag_command(given, topics):
    """Returns the command line of `ros2 bag record` that records the same as bag_recorder."""
    names = [absolute_topic(given["namespace"], topic) for topic in topics]
    options = ["--output", str(local_path(given["bag"])), "--storage", given["storage"]]
    if given["use_sim_time"].lower() == "true":
        options.append("--use-sim-time")
    if os.environ.get("ROS_DISTRO") != "humble":  # whose `ros2 bag record` takes the topics without an option
        options.append("--topics")
    return ["ros2", "bag", "record", *options, *names]
