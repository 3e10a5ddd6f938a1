# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception label-bag`."""

import argparse
from pathlib import Path

from emotion_perception.bags.commands.options import add_recording_options, settings_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    parser.add_argument("bag", type=Path, help="rosbag2 folder, .mcap or .db3 file")
    parser.add_argument("--out", type=Path, required=True, metavar="CSV", help="file to write; a page lies beside it")
    add_recording_options(parser, hidden_in="the page")
    parser.add_argument(
        "--by-track",
        action="store_true",
        help="name faces by their track's number, which holds for the same detector only, instead of by region",
    )
    parser.add_argument(
        "--shortest-s",
        type=float,
        default=0.2,
        metavar="S",
        help="leave out what a face shows for a shorter time (default: %(default)s)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite a file that is there")


def run(arguments: argparse.Namespace) -> int:
    """Writes the labels and says where."""
    from emotion_perception.bags.labeling import label_bag
    from emotion_perception.core.errors import ConfigurationError

    if arguments.out.exists() and not arguments.force:
        raise ConfigurationError(f"{arguments.out} is there already, perhaps corrected by hand: --force overwrites it")
    settings = settings_from(arguments)
    intervals = label_bag(
        arguments.bag, arguments.out, settings, by_track=arguments.by_track, shortest_s=arguments.shortest_s
    )
    faces = len({interval.track for interval in intervals})
    print(
        f"{len(intervals)} intervals of {faces} faces in {arguments.out}; look at {arguments.out.with_suffix('.html')}"
    )
    return 0
