# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks the arguments of the launch files: misspelled ones, which `ros2 launch` ignores, and values."""

import difflib
import importlib.util
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.inference.devices import check_device
from emotion_perception.core.options import limits_of, option_fields
from emotion_perception.core.paths import local_path
from emotion_perception.core.printable import printable
from emotion_perception.ros.config import PlayerConfig
from emotion_perception.ros.topic_names import check_namespace, check_topic_name

_PACKAGE = "emotion_perception"
ROS2BAG = "ros2bag"


def check_arguments(given: Mapping[str, str], declared: Collection[str]) -> None:
    """Checks the values of the arguments of a launch file, before it starts any process.

    launch evaluates most values only when a process that has them starts. What fails then leaves the processes that
    were started before.

    Args:
        given: value of each argument by its name; further names are ignored.
        declared: names of the arguments that the launch file declares.

    Raises:
        ConfigurationError: a value cannot be that of its argument.
    """
    for name in declared:
        if name in _CHECKS and name in given:
            _CHECKS[name](given[name], name)


def refuse_misspelled_arguments(
    arguments: Sequence[str], known: Collection[str], file: Path, command_line: Sequence[str]
) -> None:
    """Checks the arguments that a launch file was started with.

    An argument that resembles none of the known ones is allowed, because launch itself has some, such as
    `launch-prefix`. Nothing is checked where another launch file was started, which includes this one and has arguments
    of its own.

    Args:
        arguments: of the launch, NAME:=VALUE among them.
        known: names of the arguments that the launch file declares.
        file: the launch file.
        command_line: of the process, `sys.argv`.

    Raises:
        ConfigurationError: a name is unknown and resembles a known one.
    """
    if not _is_started(file, command_line):
        return
    for argument in arguments:
        name, assigned, _ = argument.partition(":=")
        if not assigned or name in known:
            continue
        if nearest := difflib.get_close_matches(name, sorted(known), 1):
            raise ConfigurationError(f"there is no argument {name}, did you mean {nearest[0]}? --show-args lists all")


def _is_started(file: Path, command_line: Sequence[str]) -> bool:
    """Returns whether a command line has the launch file: by package and name, or by its path."""
    if (_PACKAGE, file.name) in itertools.pairwise(command_line):
        return True
    paths = [Path(word) for word in command_line if Path(word).name == file.name]
    return any(path.is_file() and path.samefile(file) for path in paths)


def enclave_arguments(enclave: str, program: str) -> list[str]:
    """Returns the ROS arguments that give a process its enclave of a keystore, `ENCLAVE/PROGRAM`.

    Args:
        enclave: the path of the enclaves of all processes; empty gives none.
        program: name of the program.

    Raises:
        ConfigurationError: it cannot be the path of an enclave.
    """
    path = enclave.strip("/")
    check_namespace(path, "enclave")
    return ["--enclave", f"/{path}/{program}"] if path else []


def split(text: str) -> list[str]:
    """Returns the entries of a list that is separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def has_ros2bag() -> bool:
    """Returns whether `ros2 bag` is installed."""
    return importlib.util.find_spec(ROS2BAG) is not None


def _check_namespace(text: str, name: str) -> None:
    check_namespace(text.rstrip("/"), name)


def _check_enclave(text: str, name: str) -> None:
    check_namespace(text.strip("/"), name)


def _check_cameras(text: str, name: str) -> None:
    cameras = split(text)
    if text and not cameras:
        raise ConfigurationError(f"{name}: '{printable(text)}' names no camera")
    for camera in cameras:
        check_namespace(camera, name)


def _check_topics(text: str, name: str) -> None:
    topics = text.split()
    if not topics:
        raise ConfigurationError(f"{name}: '{printable(text)}' names no topic")
    for topic in topics:
        check_topic_name(topic, name)


def _check_optional_topic(text: str, name: str) -> None:
    if text:
        check_topic_name(text, name)


def _check_device(text: str, _: str) -> None:
    if text:
        check_device(text)


def _check_bag(text: str, name: str) -> None:
    try:
        local_path(text)
    except ConfigurationError as e:
        raise ConfigurationError(f"{name}: {e}") from e


def _check_file(text: str, name: str) -> None:
    file = Path(text)
    if not file.is_file():  # launch_ros only warns and starts the nodes with their defaults
        raise ConfigurationError(f"{name}: {file}: {'not a file' if file.exists() else 'no such file'}")


def _check_program(text: str, name: str) -> None:
    if text == ROS2BAG and not has_ros2bag():
        raise ConfigurationError(f"{name}: {ROS2BAG} is not installed; {name}:=auto takes this package's program then")


def _check_rate(text: str, name: str) -> None:
    try:
        rate = float(text)
    except ValueError:
        raise ConfigurationError(f"{name}: '{printable(text)}' is not a number") from None
    limits = next(limits_of(field) for field in option_fields(PlayerConfig) if field.name == "rate")
    if violation := limits.violation(name, rate):
        raise ConfigurationError(violation)


_CHECKS: Mapping[str, Callable[[str, str], None]] = {
    "bag": _check_bag,
    "cameras": _check_cameras,
    "depth_topic": _check_optional_topic,
    "device": _check_device,
    "enclave": _check_enclave,
    "image_topic": check_topic_name,
    "namespace": _check_namespace,
    "params_file": _check_file,
    "player": _check_program,
    "rate": _check_rate,
    "recorder": _check_program,
    "topics": _check_topics,
}
