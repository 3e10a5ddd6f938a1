import json

import pytest

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.training.recipe import load_recipe, recipe_from


def test_the_shipped_recipe_is_read_by_name():
    recipe = load_recipe("compact_vgg")
    assert recipe.architecture == "compact_vgg"
    assert recipe.size_in(0) < recipe.size_in(recipe.epochs - 1) == recipe.input_size == 48


def test_single_keys_are_changed_by_overrides_in_yaml():
    recipe = load_recipe("compact_vgg", ["epochs=3", "options={widths: [4]}", "mirror_average=false"])
    assert (recipe.epochs, recipe.options, recipe.mirror_average) == (3, {"widths": [4]}, False)


def test_a_recipe_of_ones_own_is_read_by_path(tmp_path):
    (tmp_path / "mine.yaml").write_text("architecture: compact_vgg\nlearning_rate: 1\n")
    assert load_recipe(str(tmp_path / "mine.yaml")).learning_rate == 1


def test_a_recipe_survives_the_journey_through_json():
    recipe = load_recipe("compact_vgg")
    restored = recipe_from(json.loads(json.dumps(recipe.as_dict())), "run.json")
    assert restored.sizes == recipe.sizes
    assert restored.epochs == recipe.epochs


@pytest.mark.parametrize(
    ("sizes", "epoch", "size"), [({}, 5, 48), ({0: 36, 40: 44}, 39, 36), ({0: 36, 40: 44}, 40, 44), ({3: 36}, 2, 48)]
)
def test_the_size_of_an_epoch_is_that_of_the_last_step_reached(sizes, epoch, size):
    assert recipe_from({"architecture": "x", "sizes": sizes}, "test").size_in(epoch) == size


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("architecture: x\nspeed: 3\n", "unknown key speed"),
        ("epochs: 3\n", "lacks architecture"),
        ("architecture: x\nepochs: many\n", "epochs 'many' is not of type int"),
        ("architecture: x\nepochs: 2.5\n", "epochs 2.5 is not of type int"),
        ("architecture: x\nepochs: 0\n", "epochs 0 is below 1"),
        ("architecture: x\nmirror_average: 1\n", "mirror_average 1 is not of type bool"),
        ("architecture: x\nlearning_rate: fast\n", "learning_rate 'fast' is not of type float"),
        ("architecture: x\nholdout: 1.0\n", "holdout 1.0 is not within"),
        ("architecture: x\nema_decay: 2\n", "ema_decay 2 is not within"),
        ("architecture: x\noptions: [1]\n", "is not a table"),
        ("architecture: x\nsizes: [36]\n", "a value has the wrong type"),
        ("architecture: [\n", "not YAML"),
        ("- architecture\n", "a recipe is a table"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_key(tmp_path, text, words):
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        load_recipe(str(tmp_path / "wrong.yaml"))


@pytest.mark.parametrize(
    ("override", "words"), [("epochs", "write key=value"), ("epoch=3", "unknown key epoch"), ("epochs=[", "not YAML")]
)
def test_a_wrong_override_is_refused(override, words):
    with pytest.raises(ConfigurationError, match=words):
        load_recipe("compact_vgg", [override])


@pytest.mark.parametrize("name", ["none", "folder/none.yaml"])
def test_an_unknown_recipe_is_refused_with_those_there_are(name):
    with pytest.raises(ConfigurationError, match=f"no recipe '{name}'; shipped: compact_vgg"):
        load_recipe(name)
