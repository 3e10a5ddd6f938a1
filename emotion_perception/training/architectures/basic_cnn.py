# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`basic_cnn`: the first network of system D (D1), `simple_CNN` of Arriaga's face_classification."""

from torch import nn

from emotion_perception.training.architectures.layers import Layers, require_positive


class BasicCNN(nn.Sequential):
    """Maps float32 (N, 1, H, W) to logits (N, num_classes), H and W from 16.

    Four pairs of convolutions, each with a ReLU after the second one as published, average pooling and dropout; then
    two convolutions and global average pooling. 642,935 parameters as Keras counts them.

    Args:
        num_classes: outputs.
        dropout: probability after each pair.

    Raises:
        ValueError: an option cannot work.
    """

    def __init__(self, num_classes: int = 7, *, dropout: float = 0.5) -> None:
        require_positive(num_classes=num_classes)
        super().__init__(
            *_pair(1, 16, 7, dropout),
            *_pair(16, 32, 5, dropout),
            *_pair(32, 64, 3, dropout),
            *_pair(64, 128, 3, dropout),
            nn.Conv2d(128, 256, 3, padding=1),
            nn.BatchNorm2d(256),
            nn.Conv2d(256, num_classes, 3, padding=1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )


def _pair(inputs: int, outputs: int, kernel: int, dropout: float) -> Layers:
    return (
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2),
        nn.BatchNorm2d(outputs),
        nn.Conv2d(outputs, outputs, kernel, padding=kernel // 2),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.AvgPool2d(2),
        nn.Dropout(dropout),
    )
