# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The options `--out FILE` and `--force` of scripts that write one file."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.reporting.output_file import check_output_file


def add_output_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds the options; `what` describes the file in the help."""
    parser.add_argument("--out", type=Path, required=True, help=what)
    parser.add_argument("--force", action="store_true", help="replace an existing file")


def check_output_option(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, inputs: Sequence[Path] = ()
) -> None:
    """Exits with one line where the file exists and `--force` is not given, is a folder, or is one of the inputs."""
    try:
        check_output_file(arguments.out, inputs=inputs, force=arguments.force)
    except ConfigurationError as e:
        parser.error(f"{e}{'' if arguments.force or arguments.out.is_dir() else ' (--force replaces a file)'}")
