# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A training may begin with the weights of a finished model."""

from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.classification.model_bundle import read_weights, save_model
from emotion_perception.core.errors import ConfigurationError, ModelBundleError
from emotion_perception.training.architectures import create_network
from emotion_perception.training.fit.hardware import Hardware
from emotion_perception.training.fit.pretrained import load_pretrained
from emotion_perception.training.fit.run_directory import exported_weights, load_run, network_weights, read_checkpoint
from emotion_perception.training.fit.training_loop import train

CPU = Hardware(device="cpu")
STILL = ("epochs=1", "learning_rate=1.0e-30", "ema_decay=0.0", "weight_decay=0.0")  # a run that changes nothing


@pytest.fixture
def own_model(exported_model, tmp_path):
    """Returns a copy of the finished model that a test may change."""
    model = exported_model.bundle
    return save_model(tmp_path / "own", "own", model.spec, read_weights(model))


def build(recipe):
    return create_network(recipe.architecture, num_classes=len(recipe.labels), **recipe.options)


def begun(recipe):
    network = build(recipe)
    load_pretrained(network, recipe)
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def test_the_network_begins_with_the_models_weights(tiny_recipe, exported_model):
    model = exported_model.bundle
    state = begun(tiny_recipe(f"pretrained={model.weights}"))
    for name, array in read_weights(model).items():
        assert np.array_equal(state[name], array), name


def test_rows_of_classes_follow_their_labels_and_unknown_ones_stay_random(tiny_recipe, exported_model):
    model = exported_model.bundle
    labels = ("contempt", *reversed(LABELS))
    recipe = replace(tiny_recipe(f"pretrained={model.weights}"), labels=labels)
    network = build(recipe)
    random = network.state_dict()["head.weight"].numpy().copy()
    load_pretrained(network, recipe)
    state, given = network.state_dict(), read_weights(model)
    assert np.array_equal(state["head.weight"].numpy()[1:], given["head.weight"][::-1])
    assert np.array_equal(state["head.bias"].numpy()[1:], given["head.bias"][::-1])
    assert np.array_equal(state["head.weight"].numpy()[0], random[0])


def test_a_run_begins_there_and_says_so(write_npz, tiny_recipe, exported_model, tmp_path):
    model = exported_model.bundle
    recipe = tiny_recipe(f"pretrained={model.weights}", *STILL)
    train(recipe, write_npz(), tmp_path / "run", hardware=CPU, num_threads=1)
    assert load_run(tmp_path / "run").pretrained_sha256 == model.sha256
    weights, _ = exported_weights(tmp_path / "run", recipe)
    assert np.array_equal(weights["head.weight"], read_weights(model)["head.weight"])


def test_the_last_weights_are_averaged_with_the_pretrained_ones(write_npz, tiny_recipe, own_model, tmp_path):
    recipe = tiny_recipe(f"pretrained={own_model.weights}", "epochs=1", "soup_weight=0.25")
    train(recipe, write_npz(), tmp_path / "run", hardware=CPU, num_threads=1)
    weights, _ = exported_weights(tmp_path / "run", recipe)
    last = network_weights(read_checkpoint(tmp_path / "run" / "last.ckpt"))["head.weight"]
    first = read_weights(own_model)["head.weight"]
    assert not np.allclose(first, last)
    assert weights["head.weight"] == pytest.approx(0.25 * first + 0.75 * last, abs=1e-6)
    other = {name: array * 2 for name, array in read_weights(own_model).items()}
    save_model(own_model.weights.parent, "own", own_model.spec, other)
    with pytest.raises(ModelBundleError, match="not the weights that the run in .* started with"):
        exported_weights(tmp_path / "run", recipe)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("options={widths: [4, 16], dropout: 0.0}", r"has other options: .* is \(8,.*, the recipe's \(16,"),
        ("architecture=scar_cnn", "is a compact_vgg, not a scar_cnn"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(tiny_recipe, exported_model, override, words):
    options = ("options={}",) if override.startswith("architecture") else ()
    recipe = tiny_recipe(f"pretrained={exported_model.bundle.weights}", *options, override)
    with pytest.raises(ConfigurationError, match=words):
        load_pretrained(build(recipe), recipe)


def without_head(weights):
    return {name: array for name, array in weights.items() if name != "head.bias"}


def with_another(weights):
    return {**weights, "another": np.zeros(1, np.float32)}


def with_nan(weights):
    return {**weights, "head.bias": np.full_like(weights["head.bias"], np.nan)}


WRONG_WEIGHTS = [
    (lambda weights: {}, "own.safetensors: the weights lack"),
    (without_head, "own.safetensors: the weights lack 'head.bias' and 0 more"),
    (with_another, "own.safetensors: the network has no parameter 'another' and 0 more"),
    (with_nan, "own.safetensors: the numbers of head.bias are not finite, the file is damaged"),
]


@pytest.mark.guarantee(
    "The weights of a pretrained model and of a teacher are checked like those of a model that is opened.",
    section="Programs",
)
@pytest.mark.parametrize(("change", "words"), WRONG_WEIGHTS)
@pytest.mark.parametrize("key", ["pretrained", "teacher"])
def test_damaged_weights_are_refused_before_the_training(
    tiny_recipe, own_model, write_npz, tmp_path, key, change, words
):
    save_model(own_model.weights.parent, "own", own_model.spec, change(read_weights(own_model)))
    views = ("teacher_weight=1", "teacher_views=true", "vote_weight=0") if key == "teacher" else ()
    recipe = tiny_recipe(f"{key}={own_model.weights}", *views)
    with pytest.raises(ModelBundleError, match=words):
        train(recipe, write_npz(), tmp_path / "run", hardware=CPU, num_threads=1)


def test_numbers_of_a_type_that_numpy_lacks_are_refused(own_model):
    stored = torch.zeros(2).to(torch.float8_e4m3fn)
    own_model.weights.write_bytes(safetensors.torch.save({"head.bias": stored}))
    with pytest.raises(ModelBundleError, match="own.safetensors: not a readable safetensors file"):
        read_weights(own_model)


def test_a_model_with_more_layers_is_refused(tiny_recipe, exported_model):
    options = "options={widths: [4, 8], depths: [2, 1], dropout: 0.0}"
    recipe = tiny_recipe(f"pretrained={exported_model.bundle.weights}", options)
    with pytest.raises(ConfigurationError, match="tiny has other options: features.* is in one of the two networks"):
        load_pretrained(build(recipe), recipe)
