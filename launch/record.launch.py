# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Records images and what the nodes say of them.

`ros2 launch emotion_perception record.launch.py bag:=FOLDER` beside the nodes, until Ctrl-C; `--show-args` lists the
arguments. `ros2 bag record` records where that is installed, else this package's bag_recorder.
"""

import importlib.util
import os

from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from emotion_perception.core.config import STORAGES
from launch import LaunchDescription

PACKAGE = "emotion_perception"
RECORDERS = ("auto", "ros2bag", "bag_recorder")
CHOICES = {"recorder": RECORDERS, "storage": STORAGES}
ARGUMENTS = {
    "bag": (None, "the rosbag2 folder to make; it must not exist"),
    "topics": ("image_raw camera_info faces emotions", "what is recorded, with spaces between"),
    "storage": ("mcap", "format of the file: mcap or sqlite3"),
    "recorder": ("auto", "ros2bag, bag_recorder, or auto: ros2bag where it is installed"),
    "namespace": ("", "namespace of the topics"),
    "use_sim_time": ("false", "take the time of receiving from /clock"),
}


def generate_launch_description() -> LaunchDescription:
    """Returns the arguments and the recorder."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description, choices=CHOICES.get(name))
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_actions)])


def _actions(context):
    settings = context.launch_configurations
    ros2bag = settings["recorder"] == "ros2bag" or (
        settings["recorder"] == "auto" and importlib.util.find_spec("ros2bag") is not None
    )
    if ros2bag:
        return [ExecuteProcess(cmd=ros2bag_command(settings), output="screen")]
    texts = {name: ParameterValue(settings[name], value_type=str) for name in ("bag", "storage")}
    values = {"topics": settings["topics"].split(), "use_sim_time": _is_true(settings["use_sim_time"])}
    return [
        Node(
            package=PACKAGE,
            executable="bag_recorder",
            namespace=settings["namespace"],
            parameters=[{**texts, **values}],
            output="screen",
        )
    ]


def ros2bag_command(settings):
    """Returns the words of `ros2 bag record` that record what bag_recorder would."""
    here = "/" + settings["namespace"].strip("/") if settings["namespace"].strip("/") else ""
    topics = [topic if topic.startswith("/") else f"{here}/{topic}" for topic in settings["topics"].split()]
    options = ["--output", settings["bag"], "--storage", settings["storage"]]
    if _is_true(settings["use_sim_time"]):
        options.append("--use-sim-time")
    if os.environ.get("ROS_DISTRO") != "humble":  # which knows them only without a name
        options.append("--topics")
    return ["ros2", "bag", "record", *options, *topics]


def _is_true(text):
    return text.lower() in ("true", "1", "yes")
