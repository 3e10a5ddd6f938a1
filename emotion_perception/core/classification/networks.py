# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The networks that nodes can run with torch, and how weights are loaded into them.

Imports torch, so it is imported only where it is used. It is part of `core` because nodes do not import `training`;
`training.architectures` adds networks for comparison. A network that is not in this file runs in a node as its ONNX
export.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emotion_perception.core.classification.model_bundle import ModelBundle, read_weights
from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.errors import ModelBundleError, one_line


class CompactVGG(nn.Module):
    """`compact_vgg`, the network this package ships: a narrow VGG (Simonyan and Zisserman 2015).

    With batch normalization and global average pooling. Each stage is some 3x3 convolutions, with max-pooling between
    stages: any input from 8 pixels a side works, so that training can start on smaller images.

    Args:
        num_classes: outputs.
        aux_classes: outputs of a second head for another labeling of the same images (FER+ votes), which improves the
            shared features; 0 for none, as in every exported model.
        widths: channels of each stage.
        depths: convolutions of each stage, at least one; empty for two each.
        dropout: probability before the heads.

    Raises:
        ValueError: `depths` has another length than `widths`, or an entry below one.
    """

    def __init__(
        self,
        num_classes: int = 7,
        *,
        aux_classes: int = 0,
        widths: Sequence[int] = (32, 64, 128, 384),
        depths: Sequence[int] = (),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        depths = depths or [2] * len(widths)
        if len(depths) != len(widths) or min(depths) < 1:
            raise ValueError(f"depths {list(depths)} are not {len(widths)} numbers from 1")
        layers: list[nn.Module] = []
        channels = 1
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            if stage:
                layers.append(nn.MaxPool2d(2))
            for _ in range(depth):
                layers += _convolution(channels, width)
                channels = width
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout))
        self.head = nn.Linear(channels, num_classes)
        self.aux_head = nn.Linear(channels, aux_classes) if aux_classes else None

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) to logits (N, num_classes)."""
        return self.head(self.features(images))

    def forward_with_aux(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (N, 1, S, S) to the logits of both heads, (N, num_classes) and (N, aux_classes).

        Raises:
            ValueError: the network has no second head.
        """
        if self.aux_head is None:
            raise ValueError("this network was built without a second head (aux_classes=0)")
        features = self.features(images)
        return self.head(features), self.aux_head(features)


class WithFeatures(nn.Module):
    """Outputs the logits of a network and, in the columns after them, the features before its last layer.

    Args:
        network: has the attributes `features` and `head`, as `CompactVGG`.
    """

    def __init__(self, network: CompactVGG) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) to (N, num_classes + number of features)."""
        features = self.network.features(images)
        return torch.cat((self.network.head(features), features), dim=1)


class MirrorAverage(nn.Module):
    """Averages the outputs for an image and for its mirror image: more accurate, at twice the computation."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) to outputs (N, K), in one batch of 2N; N at least 1."""
        both = self.network(torch.cat((images, images.flip(-1))))
        return both.unflatten(0, (2, -1)).mean(0)  # (2N, L) -> (2, N, L) -> (N, L); no len(): it would fix N in a trace


Networks = Mapping[str, type[nn.Module]]
NETWORKS: Networks = {"compact_vgg": CompactVGG}
"""The networks that nodes can run with torch; `training.architectures` has a larger table."""


def create_network(architecture: str, networks: Networks = NETWORKS, **options: Any) -> nn.Module:
    """Builds a network with random weights; it maps float32 (N, 1, S, S) to logits (N, num_classes).

    Args:
        architecture: name of the network.
        networks: the networks to choose from, by name.
        **options: keyword arguments of the network's class.

    Raises:
        ModelBundleError: no network has that name, or an option is unknown or wrong.
    """
    if architecture not in networks:
        raise ModelBundleError(f"no architecture '{architecture}' to run with torch; known: {', '.join(networks)}")
    try:
        return networks[architecture](**options)
    except (TypeError, ValueError, RuntimeError) as e:
        raise ModelBundleError(f"architecture '{architecture}': {one_line(e)}") from e


def build_network(
    spec: ModelSpec,
    weights: Mapping[str, NDArray[np.generic]],
    networks: Networks = NETWORKS,
    *,
    features: bool = False,
) -> nn.Module:
    """Builds a model's network with its weights, in eval mode, mirror average included.

    Args:
        spec: the model's description.
        weights: tensors by name, of any floating type; the network computes in float32.
        networks: the networks to choose from, by name.
        features: also output the features before the last layer, see `WithFeatures`.

    Raises:
        ModelBundleError: no network has that name, an option is wrong, the weights do not fit, or the network has no
            features that could be output.
    """
    network = create_network(spec.architecture, networks, num_classes=len(spec.labels), **spec.options)
    load_weights(network, weights)
    if features:
        if not isinstance(network, CompactVGG):
            raise ModelBundleError(f"architecture '{spec.architecture}' outputs no features")
        network = WithFeatures(network)
    return (MirrorAverage(network) if spec.mirror_average else network).eval()


def open_network(bundle: ModelBundle, networks: Networks = NETWORKS, *, features: bool = False) -> nn.Module:
    """Builds the network of a model with its weights; arguments as of `build_network`.

    Raises:
        ModelBundleError: as of `build_network` and `read_weights`; the message names the file of the weights.
    """
    weights = read_weights(bundle)
    try:
        return build_network(bundle.spec, weights, networks, features=features)
    except ModelBundleError as e:
        raise ModelBundleError(f"{bundle.weights}: {e}") from None


def load_weights(network: nn.Module, weights: Mapping[str, NDArray[np.generic]]) -> None:
    """Copies weights into a network.

    Raises:
        ModelBundleError: a tensor is missing, left over, or has another shape; the message names the first.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    given = {name: tuple(array.shape) for name, array in weights.items()}
    if missing := sorted(wanted.keys() - given.keys()):
        raise ModelBundleError(f"the weights lack '{missing[0]}' and {len(missing) - 1} more")
    if unexpected := sorted(given.keys() - wanted.keys()):
        raise ModelBundleError(f"the network has no parameter '{unexpected[0]}' and {len(unexpected) - 1} more")
    for name, shape in wanted.items():
        if given[name] != shape:
            raise ModelBundleError(f"the network has '{name}' as {shape}, the weights have {given[name]}")
    network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})


def _convolution(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
