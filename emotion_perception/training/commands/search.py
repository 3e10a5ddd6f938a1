# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception search`."""

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from emotion_perception.core.paths import path_argument
from emotion_perception.training.commands.options import add_training_options

if TYPE_CHECKING:
    from emotion_perception.training.recipe import Recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    add_training_options(parser)
    parser.set_defaults(config="tunable_cnn")
    parser.add_argument(
        "--out", type=path_argument, required=True, help="folder of the search; the same command resumes it"
    )
    parser.add_argument(
        "--trials",
        type=_positive,
        default=100,
        metavar="N",
        help="number of trials of the study, those of other machines included (default: %(default)s)",
    )
    parser.add_argument("--timeout", type=float, metavar="S", help="start no trial after this number of seconds")
    parser.add_argument(
        "--storage",
        default="",
        metavar="URL",
        help="URL of a database that machines share, e.g. postgresql://user@host/name (default: OUT/study.db)",
    )
    parser.add_argument(
        "--study",
        default="tunable_cnn",
        metavar="NAME",
        help="name of the study in the database (default: %(default)s)",
    )
    parser.add_argument("--pruner", choices=("median", "hyperband"), default="median", help="default: %(default)s")
    parser.add_argument(
        "--folds",
        type=int,
        default=0,
        metavar="N",
        help="cross-validate every trial with N folds, split by subject; trials are not pruned",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of the sampler; must differ between machines (default: random)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Searches and prints the best trial and the command that trains with its recipe."""
    from emotion_perception.training.fit.hardware import Hardware
    from emotion_perception.training.recipe import load_recipe
    from emotion_perception.training.search.optuna_search import SearchOptions, TrialSettings, search

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("emotion_perception.training.search.optuna_search").setLevel(logging.INFO)
    recipe = load_recipe(arguments.config, arguments.set)
    task = TrialSettings(
        data_path=arguments.data,
        train_split=arguments.train_split,
        val_split=arguments.val_split,
        num_folds=arguments.folds,
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
        print(file=sys.stderr)  # below the progress bar
        raise KeyboardInterrupt(f"stopped; the same command resumes, results so far in {arguments.out}") from None
    if found is None:
        print("no trial is complete")
        return 1
    print(f"best of {found.trials} trials: accuracy {found.accuracy:.2%}, {found.recipe_path}")
    print(f"next: emotion-perception train --config {found.recipe_path} --data {arguments.data} --out FOLDER")
    return 0


def _fixed(overrides: list[str], recipe: "Recipe") -> set[str]:
    """Returns the keys given with --set, which are not searched; the key options stands for each of its keys."""
    given = {override.partition("=")[0].strip() for override in overrides}
    return given | set(recipe.options) if "options" in given else given


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number
