# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception benchmark`."""

import argparse
import math
from pathlib import Path

from emotion_perception.core.paths import path_argument
from emotion_perception.training.commands.options import comma_separated

WORK = "work"  # folder for intermediate files
SECTIONS = ("latency", "detection", "backends", "scaling", "cameras", "startup", "recordings", "training")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument(
        "--out", type=path_argument, default=Path("out/bench"), help="output folder (default: %(default)s)"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="A,B",
        help=f"sections to measure, of {', '.join(SECTIONS)} (default: all); bench.json keeps the others",
    )
    parser.add_argument(
        "--data",
        type=path_argument,
        help="FER-2013 data file, for the accuracy of each backend (default: not measured)",
    )
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="duration of each run of the nodes (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", type=int, default=30, help="number of calls of each timed function (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="smoke test; the results are meaningless")
    parser.add_argument("--document", type=path_argument, help="Markdown document whose generated section is replaced")


def run(arguments: argparse.Namespace) -> int:
    """Measures the sections and prints their tables; returns the exit code."""
    import importlib

    from emotion_perception.benchmark import report
    from emotion_perception.benchmark.machine import describe_machine
    from emotion_perception.benchmark.scene import Scene
    from emotion_perception.benchmark.setup import Setup, quick
    from emotion_perception.benchmark.tables import to_markdown
    from emotion_perception.core.errors import ConfigurationError
    from emotion_perception.core.retired_names import BENCHMARK_SECTIONS
    from emotion_perception.reporting.documents import check_measurement, replace_measurement
    from emotion_perception.reporting.output_folder import OutputFolder

    names = comma_separated(arguments.only) or list(SECTIONS)
    if retired := [name for name in names if name in BENCHMARK_SECTIONS]:
        raise ConfigurationError(f"--only {retired[0]} is now called {BENCHMARK_SECTIONS[retired[0]]}")
    if unknown := [name for name in names if name not in SECTIONS]:
        raise ConfigurationError(f"--only {', '.join(unknown)}: none of {', '.join(SECTIONS)}")
    if not 0 < arguments.seconds < math.inf:
        raise ConfigurationError(f"--seconds {arguments.seconds} is not a number of seconds above 0")
    if arguments.rounds < 1:
        raise ConfigurationError(f"--rounds {arguments.rounds} is below 1")
    if arguments.document:
        check_measurement(arguments.document)  # before measuring for an hour
    read = [path for path in (arguments.data, arguments.document) if path]
    with OutputFolder(
        arguments.out, "benchmark", writes=(report.JSON, WORK), inputs=read, earlier=report.files_of_earlier_version
    ) as folder:
        folder.claim(report.JSON, WORK)
        (arguments.out / WORK).mkdir(exist_ok=True)
        setup = Setup(arguments.out / WORK, Scene(), arguments.data, arguments.rounds, arguments.seconds)
        if arguments.quick:
            setup = quick(setup)
        for name in names:
            section = importlib.import_module(f"emotion_perception.benchmark.{name}")
            machine = describe_machine()
            tables = section.run(setup)
            for table in tables:
                print(to_markdown(table), flush=True)
            content = report.add_section(arguments.out / report.JSON, name, machine, tables)
            if arguments.document:
                replace_measurement(arguments.document, f"\n{report.as_markdown(content)}\n")
    print(f"{arguments.out / report.JSON}")
    return 0
