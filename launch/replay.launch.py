# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plays a recording's images through face detection, emotion classifier and overlay, in the recording's own time.

`ros2 launch emotion_perception replay.launch.py bag:=FOLDER`; `--show-args` lists the arguments. `ros2 bag play` plays
it where that is installed, else this package's bag_player. All ends two seconds after the recording.
"""

import importlib.util
from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    Shutdown,
    TimerAction,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from emotion_perception.bags.io.images import image_topic, namespace_of
from emotion_perception.bags.io.messages import COMPRESSED
from emotion_perception.bags.io.recording import Recording
from launch import LaunchDescription

PACKAGE = "emotion_perception"
MAIN = Path(__file__).with_name("emotion_perception.launch.py")
PLAYERS = ("auto", "ros2bag", "bag_player")
LISTENERS = 2  # detection and classifier; the overlay listens only while it is looked at
START_S, END_S = 5.0, 2.0  # ros2 bag play waits for nobody; the last images are still worked on
OWN = {
    "bag": (None, "the recording: a rosbag2 folder, or a .mcap or .db3 file"),
    "topic": ("", "its image topic; empty takes the only one, or the one that a camera has"),
    "rate": ("1.0", "how many times faster than it was recorded"),
    "loop": ("false", "begin again at the end"),
    "player": ("auto", "ros2bag, bag_player, or auto: ros2bag where it is installed"),
}
PASSED = ("namespace", "params_file", "use_overlay", "rviz", "device", "model", "detector", "log_level")


def load(path):
    """Returns a launch file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem.partition(".")[0], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ARGUMENTS = OWN | {name: load(MAIN).ARGUMENTS[name] for name in PASSED}


def generate_launch_description() -> LaunchDescription:
    """Returns the arguments, the nodes and the player."""
    arguments = [
        DeclareLaunchArgument(
            name, default_value=default, description=description, choices=PLAYERS if name == "player" else None
        )
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_actions)])


def _actions(context):
    settings = context.launch_configurations
    with Recording(Path(settings["bag"])) as recording:
        images = image_topic(recording, settings["topic"] or None)
    return [_nodes(settings, compressed=images.type == COMPRESSED), _player(settings, images.name)]


def _nodes(settings, *, compressed):
    """Returns the main launch file without camera, in the recording's time."""
    given = {name: settings[name] for name in PASSED}
    fixed = {"use_camera": "false", "use_sim_time": "true", "compressed": str(compressed).lower()}
    return IncludeLaunchDescription(PythonLaunchDescriptionSource(str(MAIN)), launch_arguments=(given | fixed).items())


def _player(settings, images):
    ros2bag = settings["player"] == "ros2bag" or (
        settings["player"] == "auto" and importlib.util.find_spec("ros2bag") is not None
    )
    at_end = [TimerAction(period=END_S, actions=[Shutdown(reason="the recording has ended")])]
    if ros2bag:
        command = ros2bag_command(settings, images)
        return TimerAction(period=START_S, actions=[ExecuteProcess(cmd=command, output="screen", on_exit=at_end)])
    texts = {name: ParameterValue(settings[name], value_type=str) for name in ("bag", "topic")}
    values = {"rate": float(settings["rate"]), "loop": _is_true(settings["loop"]), "subscribers": LISTENERS}
    return Node(
        package=PACKAGE,
        executable="bag_player",
        namespace=settings["namespace"],
        parameters=[settings["params_file"], {**texts, **values}],
        output="screen",
        on_exit=at_end,
    )


def ros2bag_command(settings, images):
    """Returns the words of `ros2 bag play` that play what bag_player would; recorded results stay in the recording."""
    end = "/compressed" if images.endswith("/compressed") else ""
    here = "/" + settings["namespace"].strip("/") if settings["namespace"].strip("/") else ""
    names = {images: f"{here}/image_raw{end}", f"{namespace_of(images)}camera_info": f"{here}/camera_info"}
    remaps = [f"{recorded}:={played}" for recorded, played in names.items()]
    options = ["--clock", "100", "--rate", settings["rate"], *(["--loop"] if _is_true(settings["loop"]) else [])]
    return ["ros2", "bag", "play", settings["bag"], *options, "--topics", *names, "--remap", *remaps]


def _is_true(text):
    return text.lower() in ("true", "1", "yes")
