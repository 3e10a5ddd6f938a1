# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command line of the node programs: help from docstrings and configurations, one line for a wrong argument."""

import argparse
import difflib
import itertools
import json
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import yaml
from rclpy.utilities import remove_ros_args

from emotion_perception.core.errors import ConfigurationError, clipped, one_line
from emotion_perception.core.options import OptionLimits, limits_of, option_fields
from emotion_perception.core.regular_files import MAX_TEXT_BYTES, read_regular
from emotion_perception.core.yaml_limits import check_yaml
from emotion_perception.ros.config import NODE_CONFIGS
from emotion_perception.ros.parameters import read_sections
from emotion_perception.ros.process import EXIT_USAGE
from emotion_perception.ros.topic_names import check_namespace

_WIDTH = 100
_REMAP, _PARAMETER = ("-r", "--remap"), ("-p", "--param")
_USAGE = """\
parameters, namespaces and topics are given after --ros-args:
  --ros-args -p NAME:=VALUE --params-file FILE.yaml -r __ns:=/robot1 -r image_raw:=/front/image_raw"""


class NodeArgumentParser(argparse.ArgumentParser):
    """Parses the arguments of a node program outside `--ros-args`; an error is one line and exit code 2.

    Args:
        name: of the program.
        document: docstring of its module: `name: what it does.`, an empty line, details.
        nodes: names of the nodes that it runs, keys of `NODE_CONFIGS`.
    """

    def __init__(self, name: str, document: str | None, nodes: Sequence[str]) -> None:
        description = (document or "").partition(f"{name}: ")[2].strip()
        super().__init__(
            prog=name,
            usage="%(prog)s [options] [--ros-args ...]",
            description=description[:1].upper() + description[1:],
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._nodes = nodes

    def format_help(self) -> str:
        """Returns the help with the parameters of the nodes, which a start without `--help` does not need."""
        self.epilog = "\n\n".join([_USAGE, *map(_parameters, self._nodes)])
        return super().format_help()

    def parse_command_line(self) -> argparse.Namespace:
        """Parses the command line of the process; exits for `--help` and after an error."""
        self._check_parameter_files(sys.argv)
        self._check_names(sys.argv)
        try:
            arguments = remove_ros_args()[1:]
        except RuntimeError as e:  # what rclpy raises for malformed ROS arguments
            self.error(f"invalid ROS arguments: {one_line(e)}")
        return self.parse_args(arguments)

    def _check_parameter_files(self, arguments: Sequence[str]) -> None:
        """Exits if a parameter file is missing, or one that rcl would read for ever or build without limit."""
        for option, path in itertools.pairwise(arguments):
            if option != "--params-file":
                continue
            try:
                check_yaml(read_regular(Path(path), MAX_TEXT_BYTES).decode())
            except OSError as e:
                self.error(f"{path}: {e.strerror}")
            except (ValueError, yaml.YAMLError) as e:
                self.error(f"{path}: not a parameter file ({one_line(e)})")

    def _check_names(self, arguments: Sequence[str]) -> None:
        """Exits if a namespace is invalid, all nodes get one name, or a parameter is for a node that does not exist.

        rcl ignores such a parameter. A parameter file may be for other programs, too; one without a section for any
        node of this package is a warning.
        """
        known, files = {*NODE_CONFIGS}, []
        for option, rule in itertools.pairwise(arguments):
            match, _, new_name = rule.partition(":=")
            node, _, kind = match.rpartition(":")
            if option in _REMAP and kind == "__ns":
                try:
                    check_namespace(new_name, kind)
                except ConfigurationError as e:
                    self.error(str(e))
            if option in _REMAP and kind in ("__node", "__name"):
                known.add(new_name)
                if len(self._nodes) > 1 and not node:
                    self.error(f"{rule} would name all nodes of this process alike; give {self._nodes[0]}:{rule}")
            if option == "--params-file":
                files.append(Path(rule))
        for option, rule in itertools.pairwise(arguments):
            node, colon, _ = rule.partition(":=")[0].partition(":")
            if option in _PARAMETER and colon and node not in known and "*" not in node:
                nearest = difflib.get_close_matches(node, sorted(known), 1)
                hint = f", did you mean {nearest[0]}?" if nearest else ""
                self.error(f"-p {clipped(rule)}: no node is called {clipped(node)}{hint}")
        for path in files:
            names = {name.rpartition("/")[2] for name, _ in read_sections(path)}
            if names and not any("*" in name or name in known for name in names):
                print(
                    f"{self.prog}: {path} is for {clipped(', '.join(sorted(names)))}, not for {self._nodes[0]}",
                    file=sys.stderr,
                )

    def error(self, message: str) -> NoReturn:
        """Prints one line and exits."""
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (see --help; parameters follow --ros-args)\n")


def _parameters(node: str) -> str:
    """Returns the lines about a node's parameters."""
    blocks = [_block(field.name, field.default, limits_of(field)) for field in option_fields(NODE_CONFIGS[node])]
    return "\n".join([f"parameters of {node}:", *blocks])


def _block(name: str, default: object, limits: OptionLimits) -> str:
    head = f"  {name} (default {_value(default)}{''.join(f'; {part}' for part in _limits(limits))})"
    indent = " " * 6
    return "\n".join([head, textwrap.fill(limits.description, _WIDTH, initial_indent=indent, subsequent_indent=indent)])


def _limits(limits: OptionLimits) -> Iterable[str]:
    if limits.choices:
        yield "one of " + ", ".join(limits.choices)
    if limits.minimum is not None and limits.maximum is not None:
        yield f"{limits.minimum:g} to {limits.maximum:g}"
    if limits.live:
        yield "live"


def _value(default: object) -> str:
    """Returns a default as YAML has it."""
    return json.dumps(list(default) if isinstance(default, tuple) else default)
