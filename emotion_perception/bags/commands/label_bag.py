# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception label-bag`."""

import argparse
import math
from pathlib import Path

from emotion_perception.bags.commands.options import add_recording_options, settings_from
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.paths import path_argument
from emotion_perception.reporting.output_file import check_output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("bag", type=path_argument, help="rosbag2 folder, .mcap or .db3 file")
    parser.add_argument(
        "--out",
        type=path_argument,
        required=True,
        metavar="CSV",
        help="label file to write; a page with the same name and suffix .html is written, too",
    )
    add_recording_options(parser, hidden_in="the page")
    parser.add_argument(
        "--by-track",
        action="store_true",
        help="identify faces by track id, valid for the same detector options only, instead of by region",
    )
    parser.add_argument(
        "--min-duration",
        dest="min_duration_s",
        type=float,
        default=0.2,
        metavar="SECONDS",
        help="leave out shorter intervals (default: %(default)s)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def run(arguments: argparse.Namespace) -> int:
    """Writes the labels and prints where; returns the exit code."""
    from emotion_perception.bags.labeling import label_bag

    if not 0 <= arguments.min_duration_s < math.inf:
        raise ConfigurationError(f"--min-duration {arguments.min_duration_s} is not a number of seconds from 0")
    _check_output(arguments.bag, arguments.out, force=arguments.force)
    settings = settings_from(arguments)
    intervals = label_bag(
        arguments.bag, arguments.out, settings, by_track=arguments.by_track, min_duration_s=arguments.min_duration_s
    )
    faces = len({interval.track_id for interval in intervals})
    print(
        f"{len(intervals)} intervals of {faces} faces in {arguments.out}; faces in {arguments.out.with_suffix('.html')}"
    )
    return 0


def _check_output(bag: Path, out: Path, *, force: bool) -> None:
    """Raises ConfigurationError if the label file or its page would replace a file that may be needed."""
    if out.suffix.lower() == ".html":
        raise ConfigurationError(f"{out}: give the path of the CSV file; the page beside it gets the suffix .html")
    check_output_file(out, force=True)  # a folder has no suffix to replace
    read = [entry for entry in bag.iterdir() if entry.suffix != ".csv"] if bag.is_dir() else [bag]
    for path in (out, out.with_suffix(".html")):
        if path.exists() and not force:
            raise ConfigurationError(f"{path}: exists and may contain manual corrections; --force overwrites it")
        check_output_file(path, inputs=read, force=True)
