# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.training.recipe import load_recipe
from emotion_perception.training.search.search_space import _DISTRIBUTIONS, build_space, recipe_of


@pytest.mark.parametrize(
    ("recipe", "fixed", "words"),
    [
        ("compact_vgg", (), "search supports tunable_cnn; the recipe's architecture is 'compact_vgg'"),
        ("tunable_cnn", tuple(_DISTRIBUTIONS), "fixed by --set"),
    ],
)
def test_what_cannot_be_searched_is_refused(recipe, fixed, words):
    with pytest.raises(ConfigurationError, match=words):
        build_space(load_recipe(recipe), fixed)


def test_the_space_is_system_c_s():
    space = build_space(load_recipe("tunable_cnn"))
    assert {name.rstrip("12345_") for name in space} == {
        "activation",
        "width",
        "dropout",
        "initializer",
        "batch_size",
        "learning_rate",
        "optimizer",
        "early_stopping",
    }
    assert space["activation_5"].choices == ("relu", "elu", "tanh")
    assert (space["width_1"].low, space["width_1"].high) == (32, 256)


def test_a_trial_changes_only_what_it_chose():
    base = load_recipe("tunable_cnn")
    chosen = {f"width_{layer}": 32 * layer for layer in range(1, 6)} | {"dropout": 0.1, "early_stopping": 3}
    recipe = recipe_of(base, chosen)
    assert recipe.options == {**base.options, "widths": [32, 64, 96, 128, 160], "dropout": 0.1}
    assert recipe.early_stopping == 3
    assert recipe.learning_rate == base.learning_rate
