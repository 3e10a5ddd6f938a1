# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import pytest

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.ros.launch_arguments import refuse_misspelled_arguments
from emotion_perception.ros.topic_names import check_namespace, check_topic_name

FILE = Path(__file__).resolve().parents[2] / "launch" / "replay.launch.py"
KNOWN = ["bag", "composed", "namespace", "image_topic", "log_level", "respawn", "use_sim_time", "video_device"]
STARTED = ["ros2", "launch", "emotion_perception", FILE.name]


@pytest.mark.guarantee(
    "A misspelled argument of a launch file ends the launch with a line that has the nearest name; arguments of a "
    "launch file that includes ours, and those of launch itself, are left alone.",
    section="Launch files",
)
@pytest.mark.parametrize(
    ("command_line", "arguments", "nearest"),
    [
        (STARTED, ["composd:=true"], "composed"),
        (["ros2", "launch", str(FILE)], ["bag:=x", "namespaces:=robot"], "namespace"),
        (STARTED, ["bag:=x", "composed:=true", "--noninteractive", "composd"], None),
        (STARTED, ["launch-prefix:=gdb", "sigterm_timeout:=5", "emulate_tty:=true", ":=x"], None),
        (["ros2", "launch", "robot", "robot.launch.py"], ["composd:=true"], None),
        (["ros2", "launch", "robot", FILE.name], ["composd:=true"], None),
    ],
)
def test_a_misspelled_argument_of_our_own_launch_file_is_refused(command_line, arguments, nearest):
    if nearest is None:
        refuse_misspelled_arguments(arguments, KNOWN, FILE, command_line)
        return
    with pytest.raises(ConfigurationError, match=f"did you mean {nearest}\\?"):
        refuse_misspelled_arguments(arguments, KNOWN, FILE, command_line)


@pytest.mark.parametrize("name", ["bad topic", "a\nb", "", "/", "a/", "/a//b", "1st/image", "caméra", "{x}", "a" * 300])
def test_what_cannot_be_the_name_of_a_topic_is_one_line(name):
    with pytest.raises(ConfigurationError, match="^image_topic: '.*' is not a topic name [(].*[)]$"):
        check_topic_name(name, "image_topic")


@pytest.mark.parametrize("name", ["a b", "a/", "a//b", "a__b", "../c", "{node}", "a" * 300])
def test_what_cannot_be_the_name_of_a_namespace_is_one_line(name):
    with pytest.raises(ConfigurationError, match="^namespace: '.*' is not a namespace [(].*[)]$"):
        check_namespace(name, "namespace")


def test_names_as_ros_has_them_are_taken():
    for name in ("image_raw", "/front/image_raw", "~/image", "{node}/image"):
        check_topic_name(name, "image_topic")
    for name in ("", "/", "robot", "/robot/front"):
        check_namespace(name, "namespace")
