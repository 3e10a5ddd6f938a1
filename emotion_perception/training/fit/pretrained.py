# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Loads pretrained weights into a network (fine-tuning)."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emotion_perception.core.classification import ModelBundle, load_model_bundle, read_weights
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.training.architectures import create_network, open_network
from emotion_perception.training.recipe import Recipe

AUX_HEAD = "aux_head."  # of the names of its weights


def load_pretrained(network: nn.Module, recipe: Recipe) -> None:
    """Copies the weights of the model `recipe.pretrained` into a network.

    The rows of the last layer are copied by label: a label that the model does not have keeps its random row. An
    auxiliary head keeps its random weights.

    Args:
        network: built from the recipe; changed in place.
        recipe: names the model.

    Raises:
        ConfigurationError: the model has another architecture, or options that give layers of another shape.
        ModelFileError, ModelBundleError: the model cannot be opened, or its weights are not those of its architecture.
    """
    model = load_model_bundle(recipe.pretrained)
    if model.spec.architecture != recipe.architecture:
        raise ConfigurationError(
            f"pretrained {recipe.pretrained} is a {model.spec.architecture}, not a {recipe.architecture}"
        )
    state = network.state_dict()
    own = {name: tensor.numpy() for name, tensor in state.items() if not name.startswith(AUX_HEAD)}
    for name, array in weights_for_labels(model, recipe.labels, own).items():
        state[name].copy_(torch.from_numpy(array))


def weights_for_labels(
    model: ModelBundle, labels: Sequence[str], otherwise: Mapping[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.generic]]:
    """Returns a model's weights with the rows of its last layer in another label order.

    Args:
        model: the model.
        labels: labels of the network that gets the weights.
        otherwise: weights of that network, from which the rows of labels come that the model does not have.

    Raises:
        ConfigurationError: there are other layers, or one has another shape.
        ModelBundleError: the model's weights are damaged, or not those of its architecture.
    """
    open_network(model)
    weights: dict[str, NDArray[np.generic]] = dict(read_weights(model))
    if different := sorted(weights.keys() ^ otherwise.keys()):
        raise ConfigurationError(f"{model.name} has other options: {different[0]} is in one of the two networks only")
    common = [label for label in labels if label in model.spec.labels]
    targets, sources = ([list(order).index(label) for label in common] for order in (labels, model.spec.labels))
    per_class = _per_class(model)
    for name, array in weights.items():
        first_axis = 1 if name in per_class else 0
        if array.shape[first_axis:] != otherwise[name].shape[first_axis:]:
            raise ConfigurationError(
                f"{model.name} has other options: {name} is {array.shape}, the recipe's {otherwise[name].shape}"
            )
        if name in per_class:
            weights[name] = otherwise[name].copy()
            weights[name][targets] = array[sources]
    return weights


def _per_class(model: ModelBundle) -> set[str]:
    """Returns the names of the tensors whose first axis is the classes: those that grow with the number of classes."""
    with torch.device("meta"):
        few, more = (
            create_network(model.spec.architecture, num_classes=len(model.spec.labels) + extra, **model.spec.options)
            for extra in (0, 1)
        )
    sizes = {name: tensor.shape for name, tensor in more.state_dict().items()}
    return {name for name, tensor in few.state_dict().items() if tensor.shape != sizes[name]}
