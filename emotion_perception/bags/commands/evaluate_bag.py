# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception evaluate-bag`."""

import argparse
from pathlib import Path

from emotion_perception.bags.commands.options import add_recording_options, settings_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    parser.add_argument("bag", type=Path, help="rosbag2 folder, .mcap or .db3 file, or a folder with many of them")
    parser.add_argument("--out", type=Path, required=True, help="folder for report.json, report.html and the tables")
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="CSV",
        help="what the faces show, see docs/recordings.md; for many bags a folder with NAME.csv for each. "
        "Without it, labels.csv in a bag's own folder is taken",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--every-frame",
        dest="mode",
        action="store_const",
        const="every_frame",
        help="process each image; exact and repeatable (default)",
    )
    how.add_argument(
        "--realtime",
        dest="mode",
        action="store_const",
        const="realtime",
        help="process what a robot would have had time for on this machine",
    )
    how.add_argument(
        "--score-recorded",
        dest="mode",
        action="store_const",
        const="recorded",
        help="score the emotions that are in the recording",
    )
    parser.set_defaults(mode="every_frame")
    add_recording_options(parser, hidden_in="all that is written")
    parser.add_argument(
        "--write-bag", action="store_true", help="write OUT/bag: faces, emotions and overlay beside the images"
    )
    many = parser.add_argument_group("many bags")
    many.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: %(default)s)")
    many.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, tcp://HOST:PORT, instead of processes")


def run(arguments: argparse.Namespace) -> int:
    """Evaluates and prints the figures that people ask for first."""
    from emotion_perception.bags.batch import evaluate_many, labels_of
    from emotion_perception.bags.evaluation import evaluate_bag
    from emotion_perception.bags.io.recording import is_recording
    from emotion_perception.bags.report.summary import lines_of

    settings = settings_from(
        arguments,
        mode=arguments.mode,
        write_bag=arguments.write_bag,
    )
    if arguments.bag.is_dir() and not is_recording(arguments.bag):
        report = evaluate_many(
            arguments.bag,
            arguments.out,
            settings,
            labels=arguments.labels,
            workers=arguments.workers,
            scheduler=arguments.scheduler,
        )
    else:
        labels = labels_of(arguments.bag, arguments.labels)
        report = evaluate_bag(arguments.bag, arguments.out, settings, labels=labels)
    print("\n".join([*lines_of(report), f"report in {arguments.out / 'report.html'}"]))
    return 1 if report.get("broken") else 0
