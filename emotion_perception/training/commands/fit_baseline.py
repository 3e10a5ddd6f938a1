# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception fit-baseline`."""

import argparse

from emotion_perception.core.paths import path_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--model", required=True, help="name of a shipped model or path of a .safetensors file")
    parser.add_argument(
        "--data",
        type=path_argument,
        required=True,
        help="images on which the model was trained, with the label neutral",
    )
    parser.add_argument("--split", help="name of the split; required if the data has splits")
    parser.add_argument(
        "--out",
        type=path_argument,
        required=True,
        help="folder for the model's files and NAME.baseline.safetensors; may be the model's own",
    )
    parser.add_argument("--seed", type=int, default=0, help="of selection and changes (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Fits the statistics of resting faces and prints how many changed neutral faces stay neutral."""
    from emotion_perception.training.export.resting_statistics import fit_baseline, summary_lines

    fitted = fit_baseline(arguments.model, arguments.data, arguments.out, split=arguments.split, seed=arguments.seed)
    print(summary_lines(fitted))
    return 0
