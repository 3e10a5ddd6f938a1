# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception search`."""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_perception.training.commands.train import add_data_arguments

if TYPE_CHECKING:
    from emotion_perception.training.recipe import Recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    add_data_arguments(parser)
    parser.set_defaults(config="tunable_cnn")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the search; the same command goes on with what is in it"
    )
    parser.add_argument(
        "--trials",
        type=_positive,
        default=100,
        metavar="N",
        help="how many the study is to have, those of other machines included (default: %(default)s)",
    )
    parser.add_argument("--timeout", type=float, metavar="S", help="begin no trial after so many seconds")
    parser.add_argument(
        "--storage",
        default="",
        metavar="URL",
        help="database that machines share, e.g. postgresql://user@host/name (default: OUT/study.db)",
    )
    parser.add_argument(
        "--study", default="tunable_cnn", metavar="NAME", help="name in the database (default: %(default)s)"
    )
    parser.add_argument("--pruner", choices=("median", "hyperband"), default="median", help="default: %(default)s")
    parser.add_argument(
        "--folds", type=int, default=0, metavar="N", help="cross-validate every trial, split by subject; not pruned"
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of the choices; each machine needs another one (default: by chance)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Searches and prints what to do with the best trial."""
    from emotion_perception.training.fit.hardware import Hardware
    from emotion_perception.training.recipe import load_recipe
    from emotion_perception.training.search.optuna_search import SearchOptions, Task, search

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("emotion_perception.training.search.optuna_search").setLevel(logging.INFO)
    recipe = load_recipe(arguments.config, arguments.set)
    task = Task(
        data_path=arguments.data,
        train_split=arguments.train_split,
        val_split=arguments.val_split,
        folds=arguments.folds,
        hardware=Hardware(device=arguments.device, precision=arguments.precision),
        num_threads=arguments.num_threads,
    )
    options = SearchOptions(
        trials=arguments.trials,
        timeout_s=arguments.timeout,
        storage=arguments.storage,
        study=arguments.study,
        pruner=arguments.pruner,
        seed=arguments.seed,
    )
    try:
        found = search(recipe, task, arguments.out, options, fixed=_fixed(arguments.set, recipe))
    except KeyboardInterrupt:
        print(file=sys.stderr)  # below the bar
        raise KeyboardInterrupt(f"stopped; the same command goes on, results until now in {arguments.out}") from None
    if found is None:
        print("no trial has been measured to its end")
        return 1
    print(f"best of {found.trials} trials: accuracy {found.accuracy:.2%}, {found.recipe_path}")
    print(f"now: emotion-perception train --config {found.recipe_path} --data {arguments.data} --out FOLDER")
    return 0


def _fixed(overrides: list[str], recipe: "Recipe") -> set[str]:
    """Returns what --set has given, which the search leaves as it is; a table of options gives each key in it."""
    given = {override.partition("=")[0] for override in overrides}
    return given | set(recipe.options) if "options" in given else given


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number
