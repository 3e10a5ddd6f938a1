# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lets a training begin with the weights of a finished model (fine-tuning)."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emotion_perception.core.classification.model_bundle import ModelBundle, load_model_bundle, read_weights
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.training.architectures import create_network
from emotion_perception.training.recipe import Recipe


def load_pretrained(network: nn.Module, recipe: Recipe) -> None:
    """Gives a network the weights of `recipe.initial`; of the layer that ends in classes, the rows of common labels.

    A label that the model does not know keeps its random row, and a second head its random weights.

    Args:
        network: as the recipe describes it; changed in place.
        recipe: names the model.

    Raises:
        ConfigurationError: the model is of another architecture, or its options give layers of another shape.
        ModelFileError, ModelBundleError: it cannot be opened.
    """
    model = load_model_bundle(recipe.initial)
    if model.spec.architecture != recipe.architecture:
        raise ConfigurationError(
            f"initial {recipe.initial} is a {model.spec.architecture}, not a {recipe.architecture}"
        )
    state = network.state_dict()
    own = {name: tensor.numpy() for name, tensor in state.items()}
    for name, array in weights_over(model, recipe.labels, own).items():
        state[name].copy_(torch.from_numpy(array))


def weights_over(
    model: ModelBundle, labels: Sequence[str], otherwise: Mapping[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.generic]]:
    """Returns a model's weights, the rows that belong to classes in the order of `labels`.

    Args:
        model: the model.
        labels: of the network that gets the weights.
        otherwise: that network's own weights: its rows of labels that the model does not know.

    Raises:
        ConfigurationError: a layer has another shape.
    """
    weights: dict[str, NDArray[np.generic]] = dict(read_weights(model))
    common = [label for label in labels if label in model.spec.labels]
    to, origin = [list(labels).index(label) for label in common], [model.spec.labels.index(label) for label in common]
    per_class = _per_class(model)
    for name, array in weights.items():
        begin = 1 if name in per_class else 0
        if array.shape[begin:] != otherwise[name].shape[begin:]:
            raise ConfigurationError(
                f"{model.name} has other options: {name} is {array.shape}, the recipe's {otherwise[name].shape}"
            )
        if name in per_class:
            weights[name] = otherwise[name].copy()
            weights[name][to] = array[origin]
    return weights


def _per_class(model: ModelBundle) -> set[str]:
    """Returns the names of the tensors whose first axis is the classes: those that grow with their number."""
    with torch.device("meta"):
        few, more = (
            create_network(model.spec.architecture, num_classes=len(model.spec.labels) + extra, **model.spec.options)
            for extra in (0, 1)
        )
    sizes = {name: tensor.shape for name, tensor in more.state_dict().items()}
    return {name for name, tensor in few.state_dict().items() if tensor.shape != sizes[name]}
