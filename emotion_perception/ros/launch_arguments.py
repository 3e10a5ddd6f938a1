# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Arguments of the launch files: misspelled ones, which `ros2 launch` ignores, and enclaves."""

import difflib
import itertools
from collections.abc import Collection, Sequence
from pathlib import Path

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.ros.topic_names import check_namespace

_PACKAGE = "emotion_perception"


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
