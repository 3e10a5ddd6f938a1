# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception train`."""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotion_perception.training.recipe import Recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    add_data_arguments(parser)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the run; an unfinished run in it goes on where it stopped"
    )
    parser.add_argument("--no-resume", action="store_true", help="begin anew, over what is in --out")
    parser.add_argument("--folds", type=int, metavar="N", help="cross-validate: one network a fold, split by subject")
    parser.add_argument("--tensorboard", action="store_true", help="also write OUT/tensorboard")
    parser.add_argument(
        "--devices", type=int, default=1, metavar="N", help="processes, a GPU each; under torchrun its --nproc-per-node"
    )
    parser.add_argument("--num-nodes", type=int, default=1, metavar="N", help="machines; under torchrun its --nnodes")


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes what `train` and `search` share: data, recipe, device."""
    parser.add_argument("--data", type=Path, required=True, help="file or folder of images, see docs/data.md")
    parser.add_argument(
        "--config", default="compact_vgg", help="shipped recipe or path of a .yaml (default: %(default)s)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change one key of the recipe; may be repeated"
    )
    parser.add_argument(
        "--train-split", default="Training", metavar="NAME", help="learn from it (default: %(default)s)"
    )
    parser.add_argument(
        "--choose-split",
        default="PublicTest",
        metavar="NAME",
        help="keep the epoch that does best on it; '' takes a tenth of the train split (default: %(default)s)",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: %(default)s")
    parser.add_argument(
        "--precision",
        choices=("auto", "32", "bf16", "16"),
        default="auto",
        help="auto is bf16 where the hardware computes it, else 32",
    )
    parser.add_argument(
        "--num-threads", type=int, default=0, metavar="N", help="threads of torch (default: its choice)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Trains."""
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
        return _folds(arguments, recipe, options) if arguments.folds is not None else _train(arguments, recipe, options)
    except KeyboardInterrupt:
        print(file=sys.stderr)  # below the bar
        raise KeyboardInterrupt(
            f"stopped; the same command without --no-resume goes on after the last full epoch in {arguments.out}"
        ) from None


def _train(arguments: argparse.Namespace, recipe: "Recipe", options: dict[str, Any]) -> int:
    from emotion_perception.training.fit.train import train

    splits = {"train_split": arguments.train_split, "val_split": arguments.val_split}
    best = train(recipe, arguments.data, arguments.out, **splits, **options)
    print(f"{best}: the best epoch; now: emotion-perception export --run {arguments.out} --name NAME --out FOLDER")
    return 0


def _folds(arguments: argparse.Namespace, recipe: "Recipe", options: dict[str, Any]) -> int:
    from emotion_perception.training.fit.cross_validation import cross_validate

    found = cross_validate(recipe, arguments.data, arguments.out, folds=arguments.folds, **options)
    print(
        f"accuracy {found['accuracy']:.2%} +- {found['accuracy_deviation']:.2%} over {len(found['folds'])} folds, "
        f"{found['pooled']['n']} images; {arguments.out / 'folds.json'}"
    )
    return 0
