# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`face_gate`: the network of system E that distinguishes human faces from other images (E1)."""

from torch import nn

from emotion_perception.training.architectures.layers import convolution, dense, pooled_side, require_positive


class FaceGate(nn.Sequential):
    """Maps float32 (N, 1, S, S) to logits (N, num_classes): two "valid" 3x3 convolutions and three dense layers.

    Its description does not name an activation; this implementation uses ReLU.

    Args:
        num_classes: outputs, two: face and other.
        input_size: S, in pixels, from 10; the flattened head fixes it.
        dropout: probability in the convolutional part.
        head_dropout: probability in the dense part.

    Raises:
        ValueError: an option cannot work.
    """

    def __init__(
        self, num_classes: int = 2, *, input_size: int = 48, dropout: float = 0.25, head_dropout: float = 0.5
    ) -> None:
        require_positive(num_classes=num_classes)
        side = pooled_side(input_size, (2, 2))
        super().__init__(
            *convolution(1, 32, 3, nn.ReLU(inplace=True)),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            *convolution(32, 64, 3, nn.ReLU(inplace=True)),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            nn.Flatten(),
            *dense(64 * side**2, 128, nn.ReLU(inplace=True), head_dropout),
            *dense(128, 64, nn.ReLU(inplace=True), head_dropout),
            nn.Linear(64, num_classes),
        )
