# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception calibrate`."""

import argparse

from emotion_perception.training.commands.options import add_dataset_options, comma_separated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--model", required=True, help="path of a .safetensors file; the .json beside it is rewritten")
    add_dataset_options(parser, data_help="images on which the model was not trained")


def run(arguments: argparse.Namespace) -> int:
    """Fits the temperature and prints the calibration error before and after."""
    from emotion_perception.core.classification import ClassifierOptions
    from emotion_perception.core.yaml_values import parse_key_values
    from emotion_perception.training.export.calibration import calibrate, summary_line

    calibration = calibrate(
        ClassifierOptions(model=arguments.model, precision="float32"),
        arguments.data,
        split=arguments.split,
        ignore_classes=comma_separated(arguments.ignore_classes),
        data_options=parse_key_values(arguments.data_option, "--data-option"),
    )
    print(summary_line(calibration))
    return 0
