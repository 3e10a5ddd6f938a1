# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception calibrate`."""

import argparse
from pathlib import Path

from emotion_perception.training.commands.evaluate import split_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    parser.add_argument("--model", required=True, help="path of a .safetensors file; the .json beside it is rewritten")
    parser.add_argument("--data", type=Path, required=True, help="images that the model did not learn from")
    parser.add_argument(
        "--data-option", action="append", default=[], metavar="KEY=VALUE", help="how to read the data, see docs/data.md"
    )
    parser.add_argument("--split", help="which split; required where the file has splits")
    parser.add_argument(
        "--ignore-classes", action="append", default=[], metavar="A,B", help="leave out images of these classes"
    )


def run(arguments: argparse.Namespace) -> int:
    """Fits the temperature and prints what it changed."""
    from emotion_perception.core.config import ClassifierConfig
    from emotion_perception.training.datasets import parse_options
    from emotion_perception.training.export.calibration import calibrate, in_words

    figures = calibrate(
        ClassifierConfig(model=arguments.model),
        arguments.data,
        split=arguments.split,
        ignore_classes=split_names(arguments.ignore_classes),
        data_options=parse_options(arguments.data_option),
    )
    print(in_words(figures))
    return 0
