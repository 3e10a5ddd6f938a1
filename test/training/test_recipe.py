# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json

import pytest
import torch

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.retired_names import RECIPE_KEYS
from emotion_perception.training.architectures import create_network, network_names
from emotion_perception.training.fit.augmentation import augmentation_from
from emotion_perception.training.recipe import SHIPPED, build_recipe, load_recipe, recorded_recipe


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
    restored = build_recipe(json.loads(json.dumps(recipe.as_dict())), "run.json")
    assert restored.sizes == recipe.sizes
    assert restored.epochs == recipe.epochs


@pytest.mark.parametrize(
    ("sizes", "epoch", "size"), [({}, 5, 48), ({0: 36, 40: 44}, 39, 36), ({0: 36, 40: 44}, 40, 44), ({3: 36}, 2, 48)]
)
def test_the_size_of_an_epoch_is_that_of_the_last_step_reached(sizes, epoch, size):
    assert build_recipe({"architecture": "x", "sizes": sizes}, "test").size_in(epoch) == size


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
        ("architecture: x\nlearning_rate: 0.0\n", "learning_rate 0.0 is not above 0"),
        ("architecture: x\ncalibration_fraction: 1.0\n", "calibration_fraction 1.0 is not within"),
        ("architecture: x\nema_decay: 2\n", "ema_decay 2.0 is not within"),
        ("architecture: x\noptions: [1]\n", "is not a table"),
        ("architecture: x\nlabels: anger\n", "labels 'anger' is not a list of names"),
        ("architecture: x\noptimizer: lion\n", "optimizer 'lion' is none of sgd, adam, adamw"),
        ("architecture: x\nbalance: all\n", "balance 'all' is none of none, loss, sampler, downsample"),
        ("architecture: x\ntargets: all\n", "targets 'all' is none of label, majority"),
        ("architecture: x\nteacher: t\nteacher_views: true\n", "teacher_views needs a teacher, teacher_weight 1"),
        ("architecture: x\nteacher: {a: b}\n", "teacher {'a': 'b'} is neither a name nor a list of names"),
        ("architecture: x\nteacher: [a, 1]\n", r"teacher \['a', 1\] is neither a name nor a list of names"),
        ("architecture: x\nunlabeled_split: Faces\n", "unlabeled_split needs teacher_views, and balance none"),
        ("architecture: x\nlabel_smoothing: 1\n", "label_smoothing 1.0 is above 0.99"),
        ("architecture: x\naugmentation: {scale: [1.1, 0.9]}\n", r"scale \[1.1, 0.9\] is not \[smallest, largest\]"),
        ("architecture: x\nsoup_weight: 0.5\n", "soup_weight 0.5 needs other weights to average with"),
        (
            "architecture: x\nrestarts: {3: {speed: 1}}\n",
            "restart 3 .* has other keys than learning_rate and augmentation",
        ),
        ("architecture: x\nsizes: [36]\n", "sizes \\[36\\] is not a table of epochs"),
        ("architecture: x\nsizes: {a: 1}\n", "sizes .* has a key that is not an epoch"),
        ("architecture: x\nsizes: {0.5: 24, 0: 32}\n", "sizes .* has a key that is not an epoch"),
        ("architecture: x\nsizes: {.inf: 32}\n", "sizes .* has a key that is not an epoch"),
        (
            "architecture: x\nrestarts: {'1': {}, 1: {}}\n",
            "restarts .* that is not an epoch, or is there twice",
        ),
        ("architecture: x\nrestarts: {'1 ': {}}\n", "restarts .* has a key that is not an epoch"),
        ("architecture: x\noptions: {1: 2}\n", "options {1: 2} has a key that is not a name"),
        ("architecture: x\ndata: {1: 2}\n", "data {1: 2} has a key that is not a name"),
        ("architecture: x\naugmentation: {1: 2}\n", "augmentation: unknown key 1"),
        ("architecture: x\noptions: {x: !!timestamp 2026-01-01}\n", "options: Object of type date is not JSON"),
        ("architecture: x\noptions: {x: .nan}\n", "options: Out of range float values are not JSON"),
        ("architecture: x\nsizes: {0: large}\n", "sizes: 'large' from epoch 0 on is not a side"),
        ("architecture: x\nrestarts: {3: {learning_rate: fast}}\n", "learning_rate 'fast' is not a number above 0"),
        ("architecture: x\nlabels: [neutral]\n", r"labels \['neutral'\] are fewer than two classes"),
        ("architecture: x\nlabels: 5\n", "labels 5 is not a list of names"),
        ("architecture: x\nlearning_rate: 1:30\n", "learning_rate '1:30' is not of type float"),
        ("architecture: x\nlearning_rate: .nan\n", "learning_rate nan is not a finite number"),
        ("architecture: x\nmirror_average: maybe\n", "mirror_average 'maybe' is not of type bool; write true or false"),
        ("architecture: x\naugmentation: {blurr: 1}\n", "augmentation: unknown key blurr; there are blur, bright"),
        ("architecture: x\nseed: -1\n", "seed -1 is below"),
        ("architecture: [\n", "not YAML"),
        ("- architecture\n", "a recipe is a table"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_key(tmp_path, text, words):
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        load_recipe(str(tmp_path / "wrong.yaml"))


@pytest.mark.parametrize(("old", "new"), RECIPE_KEYS.items())
def test_a_retired_key_is_refused_with_the_present_one(tmp_path, old, new):
    (tmp_path / "old.yaml").write_text(f"architecture: x\n{old}: 0.5\n")
    with pytest.raises(ConfigurationError, match=f"the key {old} is now called {new}"):
        load_recipe(str(tmp_path / "old.yaml"))
    with pytest.raises(ConfigurationError, match=f"the key {old} is now called {new}"):
        load_recipe("compact_vgg", [f"{old}=0.5"])


def test_a_retired_value_is_refused_with_the_present_one():
    with pytest.raises(ConfigurationError, match="normalization standardise is now called standardize"):
        load_recipe("compact_vgg", ["normalization=standardise"])


def test_a_recorded_recipe_with_retired_names_is_read():
    old = {"architecture": "x", "normalisation": "standardise", "holdout": 0.2, "blend": 0.5, "initial": "compact_vgg"}
    recipe = recorded_recipe(old, "run.json")
    assert (recipe.normalization, recipe.calibration_fraction) == ("standardize", 0.2)
    assert (recipe.soup_weight, recipe.pretrained) == (0.5, "compact_vgg")


def test_numbers_with_an_exponent_are_floats_in_recipes_and_overrides(tmp_path):
    (tmp_path / "mine.yaml").write_text("architecture: x\nlearning_rate: 1e-3\naugmentation: {noise: 2e-2}\n")
    recipe = load_recipe(str(tmp_path / "mine.yaml"), ["weight_decay=5e-4"])
    assert (recipe.learning_rate, recipe.augmentation, recipe.weight_decay) == (1e-3, {"noise": 2e-2}, 5e-4)


@pytest.mark.parametrize(
    ("override", "words"), [("epochs", "write KEY=VALUE"), ("epoch=3", "unknown key epoch"), ("epochs=[", "not YAML")]
)
def test_a_wrong_override_is_refused(override, words):
    with pytest.raises(ConfigurationError, match=words):
        load_recipe("compact_vgg", [override])


@pytest.mark.parametrize(
    ("name", "words"), [("none", "no recipe 'none'"), ("folder/none.yaml", "folder/none.yaml: no such file")]
)
def test_an_unknown_recipe_is_refused_with_those_there_are(name, words):
    with pytest.raises(ConfigurationError, match=f"{words}; shipped: .*compact_vgg"):
        load_recipe(name)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_recipe_has_numbers_and_names_as_people_write_them(tmp_path, encoding):
    text = "# \u00e9\narchitecture: x\nlearning_rate: 1e-3\nepochs: 1_0\nmirror_average: on\nlabels: [yes, no, on]\n"
    (tmp_path / "mine.YAML").write_bytes(text.encode(encoding))
    recipe = load_recipe(f"file://{tmp_path}/mine.YAML", ["batch_size=1e2", "momentum=1"])
    assert (recipe.learning_rate, recipe.epochs, recipe.mirror_average) == (0.001, 10, True)
    assert (list(recipe.labels), recipe.batch_size, recipe.momentum) == (["yes", "no", "on"], 100, 1.0)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_fits_its_network_and_augmentation(path):
    recipe = load_recipe(path.stem)
    spec = recipe.model_spec()
    for epoch in (0, recipe.epochs - 1):
        augmentation_from(recipe.augmentation_in(epoch), spec)
    with torch.device("meta"):
        network = create_network(recipe.architecture, num_classes=len(recipe.labels), **recipe.options).eval()
        assert network(torch.zeros(2, 1, recipe.input_size, recipe.input_size)).shape == (2, len(recipe.labels))


def test_every_system_has_a_recipe():
    trained = {load_recipe(path.stem).architecture for path in SHIPPED.glob("*.yaml")}
    assert trained == set(network_names())


def test_the_rate_warms_up_falls_and_starts_again():
    recipe = build_recipe(
        {"architecture": "x", "epochs": 10, "warmup_epochs": 2, "restarts": {6: {"learning_rate": 0.05}}}, "test"
    )
    rates = [recipe.learning_rate_at(epoch) for epoch in (0, 1, 2, 4, 5.999, 6, 8, 10)]
    assert rates == pytest.approx([0.001, 0.05, 0.1, 0.05, 0, 0.05, 0.025, 0], abs=1e-3)


def test_a_constant_rate_stays():
    recipe = build_recipe({"architecture": "x", "epochs": 10, "warmup_epochs": 0, "schedule": "constant"}, "test")
    assert {recipe.learning_rate_at(epoch) for epoch in (0, 5, 10)} == {0.1}


def test_a_restart_may_change_the_augmentation():
    recipe = build_recipe(
        {"architecture": "x", "augmentation": {"flip": 0.5}, "restarts": {3: {"augmentation": {"scars": 1.0}}}}, "test"
    )
    assert [recipe.augmentation_in(epoch) for epoch in (2, 3)] == [{"flip": 0.5}, {"scars": 1.0}]


def test_labels_may_have_any_spelling():
    recipe = load_recipe("compact_vgg", ["labels=[Angry, joy, NEUTRAL, mine]", "ignore_classes=[Contemptuous]"])
    assert recipe.labels == ("anger", "happiness", "neutral", "mine")
    assert recipe.ignore_classes == ("contempt",)
