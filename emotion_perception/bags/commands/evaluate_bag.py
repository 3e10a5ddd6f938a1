# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception evaluate-bag`."""

import argparse

from emotion_perception.bags.commands.options import add_recording_options, settings_from
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.paths import path_argument
from emotion_perception.core.pipeline_arguments import PIPELINE_OPTIONS, refuse_without_effect
from emotion_perception.core.printable import printable

_SEVERAL = {"workers": 1, "scheduler": None}  # options for several recordings, with their defaults


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument(
        "bag", type=path_argument, help="rosbag2 folder, .mcap or .db3 file, or a folder with several of them"
    )
    parser.add_argument(
        "--out", type=path_argument, required=True, help="output folder for report.json, report.html, plots and tables"
    )
    parser.add_argument(
        "--labels",
        type=path_argument,
        metavar="CSV",
        help="true labels, see docs/recordings.md; for several bags a folder with NAME.csv for each "
        "(default: labels.csv in the folder of a bag)",
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument(
        "--every-frame",
        dest="mode",
        action="store_const",
        const="every_frame",
        help="process each image; reproducible (default)",
    )
    modes.add_argument(
        "--realtime",
        dest="mode",
        action="store_const",
        const="realtime",
        help="process in real time; images that this machine has no time for are dropped",
    )
    modes.add_argument(
        "--score-recorded",
        dest="mode",
        action="store_const",
        const="recorded",
        help="score the EmotionArrays in the recording",
    )
    parser.set_defaults(mode="every_frame")
    add_recording_options(parser, hidden_in="reports and written bags")
    parser.add_argument(
        "--write-bag", action="store_true", help="write a bag with images, faces, emotions and overlay to OUT/bag"
    )
    many = parser.add_argument_group("several bags")
    many.add_argument(
        "--workers",
        type=int,
        default=_SEVERAL["workers"],
        metavar="N",
        help="number of processes (default: %(default)s)",
    )
    many.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler to use instead of processes, tcp://HOST:PORT"
    )


def run(arguments: argparse.Namespace) -> int:
    """Evaluates, and prints a summary; returns the exit code."""
    from emotion_perception.bags.batch import evaluate_many, labels_of
    from emotion_perception.bags.evaluation import evaluate_bag
    from emotion_perception.bags.io.folder_search import recording_name
    from emotion_perception.bags.io.recording import is_recording
    from emotion_perception.bags.report.summary import summary_lines

    if arguments.mode == "recorded":
        refuse_without_effect(arguments, PIPELINE_OPTIONS, "--score-recorded scores the emotions of the recording")
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
        refuse_without_effect(arguments, _SEVERAL, f"{arguments.bag} is one recording, not a folder of several")
        labels = labels_of(arguments.bag, arguments.labels)
        if arguments.labels is not None and labels is None:
            raise ConfigurationError(f"{arguments.labels}: has no {recording_name(arguments.bag)}.csv")
        report = evaluate_bag(arguments.bag, arguments.out, settings, labels=labels)
    lines = [*summary_lines(report), f"report in {arguments.out / 'report.html'}"]
    print("\n".join(map(printable, lines)))  # with strings of the recording
    return 1 if report.get("failed") or not report["frames"]["processed"] else 0
