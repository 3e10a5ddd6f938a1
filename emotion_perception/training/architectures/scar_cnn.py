# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`scar_cnn`: the network of system B, which was trained with synthetic scars."""

from collections.abc import Sequence

from torch import nn

from emotion_perception.training.architectures.layers import pooled_side, require_positive


class ScarCNN(nn.Sequential):
    """Maps float32 (N, 1, S, S) to logits (N, num_classes): a few 3x3 convolutions and one linear layer.

    Each convolution is followed by batch normalization, ReLU, 2x2 max-pooling and dropout.

    Args:
        num_classes: outputs.
        input_size: S, in pixels; the flattened head fixes it.
        widths: channels of each convolution.
        dropout: probability after each pooling.

    Raises:
        ValueError: an option cannot work.
    """

    def __init__(
        self,
        num_classes: int = 7,
        *,
        input_size: int = 48,
        widths: Sequence[int] = (32, 64, 128),
        dropout: float = 0.25,
    ) -> None:
        require_positive(num_classes=num_classes, **{f"widths[{k}]": width for k, width in enumerate(widths)})
        side = pooled_side(input_size, (0,) * len(widths))
        layers: list[nn.Module] = []
        channels = 1
        for width in widths:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            layers += [nn.MaxPool2d(2), nn.Dropout(dropout)]
            channels = width
        super().__init__(*layers, nn.Flatten(), nn.Linear(channels * side**2, num_classes))
