# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`tunable_cnn`: the family of five-layer networks that system C searched."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from torch import Tensor, nn

from emotion_perception.training.architectures.layers import require_list, require_positive

_T = TypeVar("_T")
DEPTH = 5  # convolutions
ACTIVATIONS: Mapping[str, type[nn.Module]] = {"relu": nn.ReLU, "elu": nn.ELU, "tanh": nn.Tanh}
INITIALIZERS: Mapping[str, Callable[[Tensor], Tensor]] = {  # Keras' names
    "glorot_uniform": nn.init.xavier_uniform_,
    "glorot_normal": nn.init.xavier_normal_,
    "he_uniform": lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="relu"),
    "he_normal": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
    "orthogonal": nn.init.orthogonal_,
}


class TunableCNN(nn.Sequential):
    """Maps float32 (N, 1, H, W) to logits (N, num_classes), H and W from 16.

    Five 3x3 convolutions with max-pooling between them, global average pooling and a linear layer.

    Args:
        num_classes: outputs.
        activations: of each convolution: relu, elu or tanh.
        widths: channels of each convolution; system C searched 32..256.
        dropout: probability after each convolution.
        initializer: initializer of the weights, a key of `INITIALIZERS`; biases are zero.
        batch_norm: normalize each convolution's output before its activation.

    Raises:
        ValueError: an option cannot work.
    """

    def __init__(
        self,
        num_classes: int = 7,
        *,
        activations: Sequence[str] = ("elu", "tanh", "elu", "tanh", "elu"),
        widths: Sequence[int] = (32, 64, 128, 256, 256),
        dropout: float = 0.25,
        initializer: str = "glorot_uniform",
        batch_norm: bool = True,
    ) -> None:
        require_positive(num_classes=num_classes)
        require_list("activations", activations, DEPTH)
        require_list("widths", widths, DEPTH)
        require_positive(**{f"widths[{k}]": width for k, width in enumerate(widths)})
        layers: list[nn.Module] = []
        channels = 1
        for width, activation in zip(widths, activations, strict=True):
            if layers:
                layers.append(nn.MaxPool2d(2))
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            layers += [_lookup("activation", ACTIVATIONS, activation)(), nn.Dropout(dropout)]
            channels = width
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))
        self._initialize(_lookup("initializer", INITIALIZERS, initializer))

    def _initialize(self, initialize: Callable[[Tensor], Tensor]) -> None:
        for layer in self:
            if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
                initialize(layer.weight)
                nn.init.zeros_(layer.bias)


def _lookup(kind: str, table: Mapping[str, _T], name: str) -> _T:
    if name not in table:
        raise ValueError(f"{kind} '{name}' is none of {', '.join(table)}")
    return table[name]
