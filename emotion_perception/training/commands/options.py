# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options that several training commands have."""

import argparse
from collections.abc import Sequence

from emotion_perception.core.paths import path_argument
from emotion_perception.training.recipe import TRAIN_SPLIT, VAL_SPLIT

DEVICE_HELP = "auto, cpu, cuda or cuda:N; a GPU that is named must be there (default: %(default)s)"


def add_dataset_options(parser: argparse.ArgumentParser, *, data_help: str) -> None:
    """Adds the options that select images of a dataset: --data, --data-option, --split, --ignore-classes."""
    parser.add_argument("--data", type=path_argument, required=True, help=data_help)
    parser.add_argument(
        "--data-option", action="append", default=[], metavar="KEY=VALUE", help="how to read the data, see docs/data.md"
    )
    parser.add_argument("--split", help="name of the split; required if the data has splits")
    parser.add_argument(
        "--ignore-classes", action="append", default=[], metavar="A,B", help="leave out the images of these classes"
    )


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of commands that train: dataset, recipe and device."""
    parser.add_argument("--data", type=path_argument, required=True, help="file or folder of images, see docs/data.md")
    parser.add_argument(
        "--config", default="compact_vgg", help="shipped recipe or path of a .yaml file (default: %(default)s)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a key of the recipe; may be repeated"
    )
    parser.add_argument(
        "--train-split", default=TRAIN_SPLIT, metavar="NAME", help="split to train on (default: %(default)s)"
    )
    parser.add_argument(
        "--val-split",
        default=VAL_SPLIT,
        metavar="NAME",
        help="split on which the best epoch is selected; '' takes a tenth of the training split (default: %(default)s)",
    )
    parser.add_argument("--device", default="auto", help=DEVICE_HELP)
    parser.add_argument(
        "--precision",
        choices=("auto", "32", "bf16", "16"),
        default="auto",
        help="auto is bf16 where the hardware computes it, otherwise 32",
    )
    parser.add_argument(
        "--num-threads", type=int, default=0, metavar="N", help="threads of torch (default: torch's default)"
    )


def comma_separated(values: Sequence[str]) -> list[str]:
    """Returns the names in the values of an option that can be repeated; each value is a comma-separated list."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]
