# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception train`."""

import argparse
import logging
import sys
from typing import TYPE_CHECKING, Any

from emotion_perception.core.paths import path_argument
from emotion_perception.training.commands.options import add_training_options

if TYPE_CHECKING:
    from emotion_perception.training.recipe import Recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    add_training_options(parser)
    parser.add_argument(
        "--out", type=path_argument, required=True, help="directory of the run; an unfinished run in it is resumed"
    )
    parser.add_argument("--no-resume", action="store_true", help="start a new run and overwrite the one in --out")
    parser.add_argument("--folds", type=int, metavar="N", help="cross-validate with N folds, split by subject")
    parser.add_argument("--tensorboard", action="store_true", help="also write OUT/tensorboard")
    parser.add_argument(
        "--devices",
        type=int,
        default=1,
        metavar="N",
        help="number of processes, one GPU each; under torchrun its --nproc-per-node",
    )
    parser.add_argument(
        "--num-nodes", type=int, default=1, metavar="N", help="number of machines; under torchrun its --nnodes"
    )


def run(arguments: argparse.Namespace) -> int:
    """Trains or cross-validates, and prints the result."""
    from emotion_perception.training.fit.hardware import Hardware
    from emotion_perception.training.recipe import load_recipe

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recipe = load_recipe(arguments.config, arguments.set)
    hardware = Hardware(
        device=arguments.device,
        devices=arguments.devices,
        num_nodes=arguments.num_nodes,
        precision=arguments.precision,
        tensorboard=arguments.tensorboard,
    )
    options = {"hardware": hardware, "num_threads": arguments.num_threads, "resume": not arguments.no_resume}
    try:
        if arguments.folds is not None:
            return _cross_validate(arguments, recipe, options)
        return _train(arguments, recipe, options)
    except KeyboardInterrupt:
        print(file=sys.stderr)  # below the progress bar
        raise KeyboardInterrupt(
            f"stopped; the same command without --no-resume resumes after the last complete epoch in {arguments.out}"
        ) from None


def _train(arguments: argparse.Namespace, recipe: "Recipe", options: dict[str, Any]) -> int:
    from emotion_perception.training.fit.training_loop import train

    splits = {"train_split": arguments.train_split, "val_split": arguments.val_split}
    best = train(recipe, arguments.data, arguments.out, **splits, **options)
    print(f"{best}: best epoch; next: emotion-perception export --run {arguments.out} --name NAME --out FOLDER")
    return 0


def _cross_validate(arguments: argparse.Namespace, recipe: "Recipe", options: dict[str, Any]) -> int:
    from emotion_perception.training.fit.cross_validation import SUMMARY, cross_validate

    where = {"num_folds": arguments.folds, "split": arguments.train_split}
    found = cross_validate(recipe, arguments.data, arguments.out, **where, **options)
    print(
        f"accuracy {found['accuracy']:.2%} +- {found['accuracy_deviation']:.2%} over {len(found['folds'])} folds, "
        f"{found['pooled']['n']} images; {arguments.out / SUMMARY}"
    )
    return 0
