# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`swish_cnn`: the emotion network of system E (E2)."""

from torch import nn

from emotion_perception.training.architectures.layers import convolution, dense, pooled_side, require_positive


class SwishCNN(nn.Sequential):
    """Maps float32 (N, 1, S, S) to logits (N, num_classes).

    Six "valid" convolutions and two dense layers, each with swish (torch's SiLU) and batch normalization. 832,199
    parameters as Keras counts them at S = 48.

    Args:
        num_classes: outputs.
        input_size: S, in pixels, from 30; the flattened head fixes it.
        dropout: probability in the convolutional part.
        head_dropout: probability in the dense part.

    Raises:
        ValueError: an option cannot work.
    """

    def __init__(
        self, num_classes: int = 7, *, input_size: int = 48, dropout: float = 0.25, head_dropout: float = 0.5
    ) -> None:
        require_positive(num_classes=num_classes)
        side = pooled_side(input_size, (6, 4, 2))
        super().__init__(
            *convolution(1, 32, 4, nn.SiLU()),
            *convolution(32, 32, 4, nn.SiLU()),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            *convolution(32, 64, 3, nn.SiLU()),
            nn.Dropout(dropout),
            *convolution(64, 64, 3, nn.SiLU()),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            *convolution(64, 128, 2, nn.SiLU()),
            nn.Dropout(dropout),
            *convolution(128, 128, 2, nn.SiLU()),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            nn.Flatten(),
            *dense(128 * side**2, 512, nn.SiLU(), head_dropout),
            *dense(512, 128, nn.SiLU(), head_dropout),
            nn.Linear(128, num_classes),
        )
