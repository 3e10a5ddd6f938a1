# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The search space for `tunable_cnn`, that of system C, and the recipe of a trial."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.training.architectures.tunable_cnn import ACTIVATIONS, DEPTH, INITIALIZERS
from emotion_perception.training.recipe import CHOICES, Recipe

ARCHITECTURE = "tunable_cnn"
_STRICT, _MODERATE = 3, 8  # epochs without a better accuracy, the two settings of system C
_LAYERS = range(1, DEPTH + 1)
_PER_LAYER = {"activations": "activation", "widths": "width"}  # option -> name of a layer's parameter in a trial
_OPTIONS = ("dropout", "initializer")
_DISTRIBUTIONS: Mapping[str, BaseDistribution] = {
    "activations": CategoricalDistribution(tuple(ACTIVATIONS)),
    "widths": IntDistribution(32, 256, step=32),
    "dropout": FloatDistribution(0.0, 0.6),
    "initializer": CategoricalDistribution(tuple(INITIALIZERS)),
    "batch_size": CategoricalDistribution((32, 64, 128, 256)),
    "learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
    "optimizer": CategoricalDistribution(CHOICES["optimizer"]),
    "early_stopping": CategoricalDistribution((_STRICT, _MODERATE)),
}
Space = dict[str, BaseDistribution]


def build_space(recipe: Recipe, fixed: Collection[str] = ()) -> Space:
    """Returns the distribution of each parameter of a trial.

    Args:
        recipe: base recipe, which the trials change.
        fixed: keys of the recipe or of its options that are not searched.

    Raises:
        ConfigurationError: the recipe has another architecture, or nothing is left to search.
    """
    if recipe.architecture != ARCHITECTURE:
        raise ConfigurationError(
            f"search supports {ARCHITECTURE}; the recipe's architecture is '{recipe.architecture}'"
        )
    space: Space = {}
    for key, distribution in _DISTRIBUTIONS.items():
        if key in _PER_LAYER and key not in fixed:
            space |= {f"{_PER_LAYER[key]}_{layer}": distribution for layer in _LAYERS}
        elif key not in fixed:
            space[key] = distribution
    if not space:
        raise ConfigurationError("all keys that search varies are fixed by --set")
    return space


def suggest(trial: optuna.Trial, space: Space) -> dict[str, Any]:
    """Returns the values that a trial suggests for the parameters of the space."""
    return {name: _suggest(trial, name, distribution) for name, distribution in space.items()}


def recipe_of(recipe: Recipe, chosen: Mapping[str, Any]) -> Recipe:
    """Returns the recipe of a trial.

    Args:
        recipe: base recipe.
        chosen: parameters of the trial.

    Raises:
        ConfigurationError: a value is out of range.
    """
    options = dict(recipe.options) | {key: chosen[key] for key in _OPTIONS if key in chosen}
    for option, name in _PER_LAYER.items():
        if f"{name}_1" in chosen:
            options[option] = [chosen[f"{name}_{layer}"] for layer in _LAYERS]
    keys = {key: value for key, value in chosen.items() if key in _DISTRIBUTIONS and key not in _OPTIONS}
    return replace(recipe, options=options, **keys)


def describe(space: Space) -> dict[str, str]:
    """Returns the space as plain values, so that two searches can be compared."""
    return {name: distribution_to_json(distribution) for name, distribution in space.items()}


def _suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(name, distribution.low, distribution.high, step=distribution.step)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
