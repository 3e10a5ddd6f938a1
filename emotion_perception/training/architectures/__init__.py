# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The networks that can be trained, by name.

A network that nodes run with torch is defined in `core.classification.networks`, because nodes do not import the
training module; a network for comparison has a file here. One table lists both, and both are built by the functions of
`core.classification.networks`.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from emotion_perception.core.classification import ModelBundle, ModelSpec
from emotion_perception.core.classification import networks as core_networks
from emotion_perception.core.classification.networks import CompactVGG, MirrorAverage
from emotion_perception.training.architectures.basic_cnn import BasicCNN
from emotion_perception.training.architectures.face_gate import FaceGate
from emotion_perception.training.architectures.mini_xception import MiniXception
from emotion_perception.training.architectures.resnet18_gray import ResNet18Gray
from emotion_perception.training.architectures.scar_cnn import ScarCNN
from emotion_perception.training.architectures.swish_cnn import SwishCNN
from emotion_perception.training.architectures.tunable_cnn import TunableCNN
from emotion_perception.training.architectures.wide_cnn import WideCNN

__all__ = [
    "MirrorAverage",
    "Network",
    "build_network",
    "create_network",
    "has_aux_head",
    "keras_count",
    "network_names",
    "networks",
    "open_network",
]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network that can be trained.

    Attributes:
        factory: class of the network; maps float32 (N, 1, H, W) to logits (N, num_classes).
        system: the earlier system that used it, A1 to E2, or `ours`.
        source: publication or system of the design.
        input_hw: height and width of the input that it was designed for, in pixels.
    """

    factory: type[nn.Module]
    system: str
    source: str
    input_hw: tuple[int, int] = (48, 48)


_NETWORKS: dict[str, Network] = {
    "compact_vgg": Network(
        factory=CompactVGG,
        system="ours",
        source="this package: a narrow VGG (Simonyan and Zisserman 2015) with batch normalization",
    ),
    "wide_cnn": Network(
        factory=WideCNN,
        system="A1",
        source="remote emotion classifier, its first network, with seven output units instead of one",
        input_hw=(490, 640),
    ),
    "resnet18_gray": Network(
        factory=ResNet18Gray,
        system="A2",
        source="remote emotion classifier: ResNet-18 (He et al. 2016) for one channel",
        input_hw=(480, 640),
    ),
    "scar_cnn": Network(factory=ScarCNN, system="B", source="recognition trained with synthetic scars"),
    "tunable_cnn": Network(
        factory=TunableCNN,
        system="C",
        source="recognition from posed sequences: the searched family of five-layer networks",
    ),
    "basic_cnn": Network(
        factory=BasicCNN,
        system="D1",
        source="emotion and gender: simple_CNN of face_classification (Arriaga et al. 2017)",
    ),
    "mini_xception": Network(
        factory=MiniXception,
        system="D2",
        source="emotion and gender: mini-Xception (Arriaga et al. 2017)",
    ),
    "face_gate": Network(factory=FaceGate, system="E1", source="the check whether an image is a human face"),
    "swish_cnn": Network(
        factory=SwishCNN, system="E2", source="emotion beside that check: swish and valid convolutions"
    ),
}


_FACTORIES: core_networks.Networks = {name: network.factory for name, network in _NETWORKS.items()}


def network_names() -> tuple[str, ...]:
    """Returns the names of all networks."""
    return tuple(_NETWORKS)


def networks() -> dict[str, Network]:
    """Returns all networks by name."""
    return dict(_NETWORKS)


def has_aux_head(name: str) -> bool:
    """Returns whether a network can have a second head, which learns votes."""
    return name in _FACTORIES and "aux_classes" in inspect.signature(_FACTORIES[name]).parameters


def create_network(name: str, **options: object) -> nn.Module:
    """Builds a network with random weights; it maps float32 (N, 1, H, W) to logits (N, num_classes).

    Raises:
        ModelBundleError: no network has that name, or an option is unknown or wrong.
    """
    return core_networks.create_network(name, _FACTORIES, **options)


def build_network(spec: ModelSpec, weights: Mapping[str, NDArray[np.generic]]) -> nn.Module:
    """Builds a model's network with its weights, in eval mode, mirror average included.

    Raises:
        ModelBundleError: no network has that name, an option is wrong, or the weights do not fit.
    """
    return core_networks.build_network(spec, weights, _FACTORIES)


def open_network(bundle: ModelBundle) -> nn.Module:
    """Builds the network of a model with its weights, in eval mode, mirror average included.

    Raises:
        ModelBundleError: as of `build_network`, or the weights are damaged; the message names their file.
    """
    return core_networks.open_network(bundle, _FACTORIES)


def keras_count(network: nn.Module) -> int:
    """Returns the number of parameters as Keras counts them, running means and variances of normalizations included."""
    statistics = sum(
        layer.running_mean.numel() + layer.running_var.numel()
        for layer in network.modules()
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
        and layer.running_mean is not None
        and layer.running_var is not None
    )
    return sum(parameter.numel() for parameter in network.parameters()) + statistics
