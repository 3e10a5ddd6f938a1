# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Starts camera, face detection, emotion classifier and overlay.

`ros2 launch emotion_perception emotion_perception.launch.py --show-args` lists the arguments. An argument that is left
empty leaves the parameter file's value alone. `use_camera:=false image_topic:=/front/image_raw` sits on any driver.
`cameras:=front,rear video_device:=0,2` starts all but the classifier for each camera, in a namespace of its own.
"""

import os

from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription

PACKAGE = "emotion_perception"
SHARE = FindPackageShare(PACKAGE)
TRANSPORT_PROFILE = PathJoinSubstitution([SHARE, "config", "fastdds.xml"])
PROFILE_VARIABLES = ["FASTDDS_DEFAULT_PROFILES_FILE"]
if os.environ.get("ROS_DISTRO") not in ("kilted", "lyrical", "rolling"):
    PROFILE_VARIABLES.append("FASTRTPS_DEFAULT_PROFILES_FILE")  # all that Fast DDS 2 knows; Fast DDS 3 complains of it
ARGUMENTS = {
    "namespace": ("", "namespace of all nodes and topics"),
    "params_file": (
        PathJoinSubstitution([SHARE, "config", "emotion_perception.yaml"]),
        "parameters of all nodes",
    ),
    "video_device": ("", "camera index or path, video file, folder, rtsp:// or http:// stream, or 'synthetic'"),
    "image_topic": ("image_raw", "topic of the images"),
    "cameras": (
        "",
        "names of several cameras, divided by commas, with one classifier for all; video_device then names as many",
    ),
    "use_camera": ("true", "start camera_node; false sits on another driver or a bag"),
    "use_overlay": ("true", "start overlay_node"),
    "composed": ("false", "one process for all nodes, which then share each image instead of sending it"),
    "rviz": ("false", "start RViz"),
    "compressed": (
        "false",
        "take JPEG or PNG images from image_topic with /compressed behind it: a camera elsewhere",
    ),
    "device": ("", "where the classifier runs: auto, cpu, cuda or cuda:N"),
    "model": ("", "emotion model: a shipped name or a path"),
    "detector": ("", "face detector: centerface, yunet, mtcnn or haar"),
    "use_sim_time": ("false", "take the time from /clock"),
    "log_level": ("info", "debug, info, warn, error or fatal"),
    "respawn": ("false", "start a node again half a second after it ended"),
}
OVERRIDES = {
    "camera_node": ("video_device",),
    "face_detection_node": ("detector",),
    "emotion_classifier_node": ("device", "model"),
    "overlay_node": (),
}
LEAVING_OUT = {"camera_node": "--no-camera", "overlay_node": "--no-overlay"}
SUBSCRIBERS = ("face_detection_node", "emotion_classifier_node", "overlay_node")


def generate_launch_description() -> LaunchDescription:
    """Returns the arguments, the transport profile (a set one is kept) and the nodes."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    profile = [
        SetEnvironmentVariable(name, EnvironmentVariable(name, default_value=TRANSPORT_PROFILE))
        for name in PROFILE_VARIABLES
    ]
    return LaunchDescription([*arguments, *profile, OpaqueFunction(function=_nodes), _rviz()])


def _nodes(context):
    """Makes the processes; the arguments that were given override the parameter file."""
    skipped = {
        "camera_node": not _is_true(context, "use_camera"),
        "overlay_node": not _is_true(context, "use_overlay"),
    }
    names = [name for name in OVERRIDES if not skipped.get(name)]
    if cameras := _listed(context, "cameras"):
        return _several(context, cameras, names)
    if not _is_true(context, "composed"):
        return [_process(context, name, given(context, name), name=name) for name in names]
    options = [option for name, option in LEAVING_OUT.items() if skipped[name]]
    texts = {parameter: text for name in names for parameter, text in given(context, name).items()}
    return [_process(context, "emotion_perception_composed", texts, arguments=options)]


def _several(context, cameras, names):
    """Makes the processes of several cameras, each in a namespace of its own, and the classifier of all."""
    image_topic = context.launch_configurations["image_topic"]
    devices = _listed(context, "video_device")
    if _is_true(context, "composed") or image_topic.startswith("/"):
        raise RuntimeError("cameras: composed:=true and an image_topic with a / in front are for one camera")
    if devices and len(devices) != len(cameras):
        raise RuntimeError(f"video_device: {len(devices)} sources for {len(cameras)} cameras")
    processes = []
    for camera, device in zip(cameras, devices or [""] * len(cameras), strict=True):
        for name in names:
            if name != "emotion_classifier_node":
                texts = given(context, name) | ({"video_device": device} if device and name == "camera_node" else {})
                processes.append(_process(context, name, texts, name=name, namespace=camera))
    classifier = "emotion_classifier_node"
    topics = {"image_topics": [f"{camera}/{image_topic}" for camera in cameras]}
    return [*processes, _process(context, classifier, given(context, classifier), name=classifier, more=topics)]


def given(context, executable):
    """Returns the parameters that the arguments give a node: name -> text."""
    names = [name for name in OVERRIDES[executable] if context.launch_configurations[name]]
    texts = {name: context.launch_configurations[name] for name in names}
    if executable in SUBSCRIBERS and _is_true(context, "compressed"):
        texts["image_transport"] = "compressed"
    return texts


def camera_info_topic(context):
    """Returns the topic beside the images, as image_transport has it."""
    folder, slash, _ = context.launch_configurations["image_topic"].rpartition("/")
    return f"{folder}{slash}camera_info"


def _process(context, executable, texts, *, name=None, namespace="", more=None, arguments=()):
    """Makes a process whose nodes get those parameters, without a name all of them.

    Args:
        context: the arguments that were given.
        executable: what is started.
        texts: parameters that stay strings, even "0".
        name: of the node.
        namespace: below the one of all.
        more: other parameters.
        arguments: of the command line.
    """
    values = {name: ParameterValue(text, value_type=str) for name, text in texts.items()} | (more or {})
    whole_namespace = "/".join(part for part in (context.launch_configurations["namespace"], namespace) if part)
    return Node(
        package=PACKAGE,
        executable=executable,
        name=name,
        namespace=whole_namespace,
        parameters=[LaunchConfiguration("params_file"), {**values, "use_sim_time": _is_true(context, "use_sim_time")}],
        remappings=[("image_raw", LaunchConfiguration("image_topic")), ("camera_info", camera_info_topic(context))],
        arguments=[*arguments, "--ros-args", "--log-level", LaunchConfiguration("log_level")],
        respawn=_is_true(context, "respawn"),
        respawn_delay=0.5,
        output="screen",
    )


def _rviz():
    return Node(
        package="rviz2",
        executable="rviz2",
        arguments=["-d", PathJoinSubstitution([SHARE, "rviz", "emotion_perception.rviz"])],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )


def _listed(context, name):
    """Returns what an argument names, divided by commas."""
    return [part.strip() for part in context.launch_configurations[name].split(",") if part.strip()]


def _is_true(context, name):
    return context.launch_configurations[name].lower() in ("true", "1", "yes")
