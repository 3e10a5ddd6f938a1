# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`wide_cnn`: the first network of system A (A1), 160 million parameters in all but one dense layer of no use."""

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

    Its author's had one output unit and learnt nothing. Softmax over one unit is 1 whatever the image, so the loss
    has no gradient; and one number cannot name seven classes that have no order either. With that head and at 640x490
    it counts 160,600,577 parameters as Keras does, 157,286,656 of them in the first dense layer. Here it has a unit for
    each class.

    Args:
        num_classes: outputs; 1 is the original head.
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
