# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`wide_cnn`: the first network of system A (A1), with 160 million parameters, most of them in one dense layer."""

from collections.abc import Sequence

from torch import nn

from emotion_perception.training.architectures.layers import (
    convolution,
    dense,
    pooled_side,
    require_list,
    require_positive,
)


class WideCNN(nn.Sequential):
    """Maps float32 (N, 1, H, W) to logits (N, num_classes).

    The original network has one output unit and cannot be trained: softmax over one unit is always 1, so that the loss
    has no gradient. With this head and an input of 640x490 it has 160,600,577 parameters as Keras counts them, of which
    157,286,656 are in the first dense layer. This implementation has an output unit for each class.

    Args:
        num_classes: outputs; the original network has 1.
        input_hw: H and W, in pixels, from 16; the flattened head fixes them.
        dropout: probability after each pooling and dense layer.

    Raises:
        ValueError: an option cannot work.
    """

    def __init__(self, num_classes: int = 7, *, input_hw: Sequence[int] = (490, 640), dropout: float = 0.25) -> None:
        require_positive(num_classes=num_classes)
        require_list("input_hw", input_hw, 2)
        height, width = (pooled_side(side, (0, 0, 0, 0)) for side in input_hw)
        super().__init__(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.ReLU(inplace=True),
            *convolution(32, 64, 3, nn.ReLU(inplace=True), padding=1),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            *convolution(64, 128, 5, nn.ReLU(inplace=True), padding=2),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            *convolution(128, 512, 3, nn.ReLU(inplace=True), padding=1),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            *convolution(512, 512, 3, nn.ReLU(inplace=True), padding=1),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            nn.Flatten(),
            *dense(512 * height * width, 256, nn.ReLU(inplace=True), dropout),
            *dense(256, 512, nn.ReLU(inplace=True), dropout),
            nn.Linear(512, num_classes),
        )
