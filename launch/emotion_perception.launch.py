# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Starts camera, face detection, emotion classifier and overlay.

`ros2 launch emotion_perception emotion_perception.launch.py --show-args` lists the arguments. An argument that is left
empty keeps the parameter file's value. With `use_camera:=false image_topic:=/front/image_raw` the nodes take the images
of any camera driver. `cameras:=front,rear video_device:=0,2` starts all nodes but the classifier once per camera, each
in its own namespace.
"""

import atexit
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    GroupAction,
    OpaqueFunction,
    SetEnvironmentVariable,
    TimerAction,
)
from launch.conditions import IfCondition
from launch.logging import get_logger
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node, PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from emotion_perception.core.detection import DETECTORS
from emotion_perception.ros.launch_arguments import (
    check_arguments,
    enclave_arguments,
    refuse_misspelled_arguments,
    split,
)
from emotion_perception.ros.restart_policy import MAX_RESTARTS, RESTARTS_PERIOD_S, RestartPolicy
from emotion_perception.ros.rviz_view import absolute_topic, camera_frame, rviz_view
from launch import LaunchDescription

PACKAGE = "emotion_perception"
SHARE = FindPackageShare(PACKAGE)
TRANSPORT_PROFILE = PathJoinSubstitution([SHARE, "config", "fastdds.xml"])
PROFILE_VARIABLES = ["FASTDDS_DEFAULT_PROFILES_FILE"]
if os.environ.get("ROS_DISTRO") not in ("kilted", "lyrical", "rolling"):
    PROFILE_VARIABLES.append("FASTRTPS_DEFAULT_PROFILES_FILE")  # the only one Fast DDS 2 reads; Fast DDS 3 warns of it
TRUE_OR_FALSE = ["true", "false", "True", "False"]
PUBLISHED = {  # arguments of what is published in the messages of other packages
    "publish_hri": "publish faces and expressions as in ROS4HRI (REP-155)",
    "publish_hri_cropped": "publish the image of each face, too; only with publish_hri",
    "publish_vision_msgs": "publish detections as vision_msgs",
    "publish_tf": "publish a TF frame for each face",
}
LOG_LEVELS = ["debug", "info", "warn", "error", "fatal"]
ARGUMENTS = [
    DeclareLaunchArgument("namespace", default_value="", description="namespace of all nodes and topics"),
    DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([SHARE, "config", "emotion_perception.yaml"]),
        description="parameters of all nodes",
    ),
    DeclareLaunchArgument(
        "video_device",
        default_value="",
        description="camera index or path, video file, folder, rtsp:// or http:// stream, or 'synthetic'",
    ),
    DeclareLaunchArgument("image_topic", default_value="image_raw", description="topic of the images"),
    DeclareLaunchArgument(
        "cameras",
        default_value="",
        description="names of several cameras, separated by commas, with one classifier for all of them; "
        "video_device then has as many entries",
    ),
    DeclareLaunchArgument(
        "use_camera",
        default_value="true",
        choices=TRUE_OR_FALSE,
        description="start camera_node; false where another driver or a recording publishes the images.",
    ),
    DeclareLaunchArgument(
        "use_overlay", default_value="true", choices=TRUE_OR_FALSE, description="start overlay_node."
    ),
    DeclareLaunchArgument(
        "composed",
        default_value="true",
        choices=TRUE_OR_FALSE,
        description="run all nodes in one process, which pass images on by reference; false gives each its own.",
    ),
    DeclareLaunchArgument(
        "rviz",
        default_value="false",
        choices=TRUE_OR_FALSE,
        description="start RViz with the overlay and the markers of each camera, if rviz2 is installed.",
    ),
    DeclareLaunchArgument(
        "web",
        default_value="false",
        choices=TRUE_OR_FALSE,
        description="start web_viewer_node, a page for the browser at http://localhost:8090, in a process of its own; "
        "it needs the extra 'web'.",
    ),
    DeclareLaunchArgument(
        "rviz_frame",
        default_value="",
        description="fixed frame of RViz; empty takes the frame_id of the camera node, of several the first one's",
    ),
    DeclareLaunchArgument(
        "compressed",
        default_value="false",
        choices=TRUE_OR_FALSE,
        description="subscribe to JPEG or PNG images on image_topic/compressed, for a camera on another machine.",
    ),
    DeclareLaunchArgument(
        "device", default_value="", description="where the classifier runs: auto, cpu, cuda or cuda:N"
    ),
    DeclareLaunchArgument("model", default_value="", description="emotion model: a shipped name or a path"),
    DeclareLaunchArgument("detector", default_value="", choices=["", *DETECTORS], description="face detector."),
    DeclareLaunchArgument(
        "depth_topic",
        default_value="",
        description="depth images registered to the color images, for the positions of the faces; with several cameras "
        "a relative name is that of each camera's own",
    ),
    *(
        DeclareLaunchArgument(
            name, default_value="", choices=["", *TRUE_OR_FALSE], description=f"{text}; docs/interoperability.md."
        )
        for name, text in PUBLISHED.items()
    ),
    DeclareLaunchArgument(
        "use_sim_time", default_value="false", choices=TRUE_OR_FALSE, description="take the time from /clock."
    ),
    DeclareLaunchArgument("log_level", default_value="info", choices=LOG_LEVELS, description="log level of the nodes."),
    DeclareLaunchArgument(
        "enclave",
        default_value="",
        description="with ROS security: each process gets the enclave ENCLAVE/PROGRAM of the keystore, "
        "with several cameras ENCLAVE/CAMERA/PROGRAM; empty sets none",
    ),
    DeclareLaunchArgument(
        "respawn",
        default_value="false",
        choices=TRUE_OR_FALSE,
        description="restart a node half a second after it was killed or has failed, at most "
        f"{MAX_RESTARTS} times in {RESTARTS_PERIOD_S:.0f} s; "
        "never after exit code 78 or 2 (wrong configuration), SIGINT or SIGTERM.",
    ),
]
PARAMETERS = {  # node -> the arguments that set a parameter of the same name
    "camera_node": ("video_device",),
    "face_detection_node": ("detector", "depth_topic"),
    "emotion_classifier_node": ("device", "model", *PUBLISHED),
    "overlay_node": (),
}
SWITCHES = {"camera_node": "use_camera", "overlay_node": "use_overlay"}  # node -> the argument that starts it
COMPOSED_OPTIONS = {"use_camera": "--no-camera", "use_overlay": "--no-overlay"}
SUBSCRIBERS = ("face_detection_node", "emotion_classifier_node", "overlay_node")  # of the images
CLASSIFIER = "emotion_classifier_node"
RESPAWN_DELAY_S = 0.5


def generate_launch_description() -> LaunchDescription:
    """Returns the arguments, the transport profile unless one is set already, the nodes and RViz."""
    profile = [
        SetEnvironmentVariable(name, EnvironmentVariable(name, default_value=TRANSPORT_PROFILE))
        for name in PROFILE_VARIABLES
    ]
    check = OpaqueFunction(function=_check_arguments)
    return LaunchDescription([*ARGUMENTS, check, *profile, OpaqueFunction(function=_processes)])


def _check_arguments(context):
    """Raises ConfigurationError if an argument is misspelled, or a value cannot be that of its argument."""
    known = {argument.name for argument in ARGUMENTS}
    refuse_misspelled_arguments(context.argv, known, Path(__file__), sys.argv)
    check_arguments(context.launch_configurations, known)


def _processes(context):
    """Returns the nodes and RViz; all of them are made before the first one starts, so an error starts none."""
    given = context.launch_configurations
    rviz = _rviz(given) if is_true(given["rviz"]) else []
    return [GroupAction([PushRosNamespace(LaunchConfiguration("namespace")), *_nodes(given)]), *rviz]


def _nodes(given):
    """Returns the nodes, for one camera or for each of `cameras`.

    Raises:
        RuntimeError: the arguments contradict each other.
    """
    cameras = split(given["cameras"])
    if cameras:
        nodes = _several(given, cameras)
    elif is_true(given["composed"]):
        nodes = [_composed(given)]
    else:
        nodes = [_separate(given, name) for name in PARAMETERS]
    return [*nodes, _viewer(given, cameras)] if is_true(given["web"]) else nodes


def _several(given, cameras):
    """Returns the nodes of each camera, in its namespace, and the classifier of all of them."""
    devices = split(given["video_device"])
    if given["image_topic"].startswith("/"):
        raise RuntimeError("cameras: an image_topic with a leading / needs a single camera")
    if len({absolute_topic(given["namespace"], camera) for camera in cameras}) < len(cameras):
        raise RuntimeError(f"cameras: {','.join(cameras)} has a name twice")
    if devices and len(devices) != len(cameras):
        raise RuntimeError(f"video_device: {len(devices)} sources for {len(cameras)} cameras")
    sources = list(zip(cameras, devices or [""] * len(cameras), strict=True))
    if is_true(given["composed"]):
        options = [word for camera, device in sources for word in ("--camera", f"{camera}={device}")]
        return [_composed({**given, "video_device": ""}, [*options, "--image-topic", given["image_topic"]])]
    groups = []
    for camera, device in sources:
        names = [name for name in PARAMETERS if name != CLASSIFIER]
        own = {**given, "video_device": device, "enclave": given["enclave"] and f"{given['enclave']}/{camera}"}
        nodes = [_separate(own, name) for name in names]
        groups.append(GroupAction([PushRosNamespace(camera), *nodes]))
    topics = {"image_topics": [f"{camera}/{given['image_topic']}" for camera in cameras]}
    return [*groups, _separate(given, CLASSIFIER, more=topics)]


def _rviz(given):
    """Returns RViz with the topics of all cameras; where it is not installed, the nodes start without it."""
    try:
        get_package_prefix("rviz2")
    except PackageNotFoundError:
        get_logger("rviz").warning("rviz:=true: rviz2 is not installed; the nodes start without it")
        return []
    namespaces = [absolute_topic(given["namespace"], camera) for camera in split(given["cameras"]) or [""]]
    frame = given["rviz_frame"] or camera_frame(Path(given["params_file"]), namespaces[0])
    template = Path(get_package_share_directory(PACKAGE), "rviz", "emotion_perception.rviz").read_text(encoding="utf-8")
    images = "" if is_true(given["use_overlay"]) else given["image_topic"]
    view = Path(tempfile.mkdtemp(prefix="emotion_perception_"), "view.rviz")
    atexit.register(shutil.rmtree, view.parent, ignore_errors=True)
    view.write_text(rviz_view(template, namespaces, frame, image_topic=images), encoding="utf-8")
    sim_time = {"use_sim_time": ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)}
    return [Node(package="rviz2", executable="rviz2", arguments=["-d", str(view)], parameters=[sim_time])]


def _separate(given, name, *, more=None):
    """Returns a node in a process of its own."""
    condition = IfCondition(LaunchConfiguration(SWITCHES[name])) if name in SWITCHES else None
    return _process(given, name, {**node_parameters(given, name), **(more or {})}, name=name, condition=condition)


def _composed(given, arguments=()):
    """Returns the process that runs all nodes, with further arguments of its program."""
    names = [name for name in PARAMETERS if name not in SWITCHES or is_true(given[SWITCHES[name]])]
    parameters = {parameter: value for name in names for parameter, value in node_parameters(given, name).items()}
    options = [option for switch, option in COMPOSED_OPTIONS.items() if not is_true(given[switch])]
    return _process(given, "emotion_perception_composed", parameters, arguments=[*options, *arguments])


def _viewer(given, cameras):
    """Returns web_viewer_node with the topics of all cameras."""
    parameters = {"image_topics": [f"{camera}/{given['image_topic']}" for camera in cameras]} if cameras else {}
    if is_true(given["compressed"]):
        parameters["image_transport"] = "compressed"
    return _process(given, "web_viewer_node", parameters, name="web_viewer_node")


def node_parameters(given, name):
    """Returns the parameters that the arguments set for a node; all but switches stay strings, even "0"."""
    texts = {argument: given[argument] for argument in PARAMETERS[name] if given[argument]}
    if name in SUBSCRIBERS and is_true(given["compressed"]):
        texts["image_transport"] = "compressed"
    return {
        parameter: is_true(text) if parameter in PUBLISHED else ParameterValue(text, value_type=str)
        for parameter, text in texts.items()
    }


def camera_info_topic(image_topic):
    """Returns the topic of the calibration, which image_transport expects beside the images."""
    folder, slash, _ = image_topic.rpartition("/")
    return f"{folder}{slash}camera_info"


def _process(given, executable, parameters, *, name=None, arguments=(), condition=None):
    """Returns a process; without a name the parameters are for all nodes in it."""
    sim_time = {"use_sim_time": ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)}
    return Node(
        package=PACKAGE,
        executable=executable,
        name=name,
        parameters=[LaunchConfiguration("params_file"), {**parameters, **sim_time}],
        remappings=[("image_raw", given["image_topic"]), ("camera_info", camera_info_topic(given["image_topic"]))],
        arguments=[
            *arguments,
            "--ros-args",
            "--log-level",
            LaunchConfiguration("log_level"),
            *enclave_arguments(given["enclave"], executable),
        ],
        on_exit=_restarts(dict(os.environ)) if is_true(given["respawn"]) else None,
        output="screen",
        condition=condition,
    )


def _restarts(environment):
    """Returns a function for `on_exit` that starts a process again as long as its `RestartPolicy` allows it.

    Launch itself would restart it for ever, whatever its exit code is.

    Args:
        environment: of the restarted process; that of the launch file is gone by then.
    """
    policy = RestartPolicy()

    def restart(event, context):
        if context.is_shutdown:
            return []
        if refusal := policy.refusal(event.process_name, event.returncode, time.monotonic()):
            log = get_logger("respawn")
            (log.error if event.returncode else log.info)(refusal)
            return []
        again = ExecuteProcess(cmd=event.cmd, env=environment, output="screen", on_exit=restart)
        return [TimerAction(period=RESPAWN_DELAY_S, actions=[again])]

    return restart


def is_true(text):
    """Returns whether an argument that is true or false is true."""
    return text.lower() == "true"
