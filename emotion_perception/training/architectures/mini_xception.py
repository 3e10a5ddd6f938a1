# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`mini_xception`: the second network of system D (D2), Arriaga, Valdenegro-Toro and Ploeger 2017."""

from torch import Tensor, nn

from emotion_perception.training.architectures.layers import Layers, require_positive


class MiniXception(nn.Sequential):
    """Maps float32 (N, 1, H, W) to logits (N, num_classes), H and W from 5.

    Two convolutions, four residual modules of depthwise-separable convolutions, a convolution to the classes and global
    average pooling ("Real-time Convolutional Neural Networks for Emotion and Gender Classification"). 58,423 parameters
    as Keras counts them, 56,951 of them trainable.

    Args:
        num_classes: outputs.

    Raises:
        ValueError: `num_classes` is not a whole number from 1.
    """

    def __init__(self, num_classes: int = 7) -> None:
        require_positive(num_classes=num_classes)
        super().__init__(
            *_stem(1, 8),
            *_stem(8, 8),
            _Residual(8, 16),
            _Residual(16, 32),
            _Residual(32, 64),
            _Residual(64, 128),
            nn.Conv2d(128, num_classes, 3, padding=1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )


class _Residual(nn.Module):
    """Two separable convolutions and max-pooling, with a strided 1x1 convolution as the skip; halves the image."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_separable(inputs, outputs),
            nn.ReLU(inplace=True),
            *_separable(outputs, outputs),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.skip = nn.Sequential(_Halving(inputs, outputs), nn.BatchNorm2d(outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Maps (N, inputs, H, W) to (N, outputs, H / 2, W / 2), rounded up."""
        return self.body(features) + self.skip(features)


class _Halving(nn.Conv2d):
    """A 1x1 convolution of stride 2, computed as a convolution of stride 1 on every second pixel.

    The result is the same, but the gradient of a 1x1 convolution of stride 2 writes outside its memory in oneDNN 3.12
    (torch 2.13): float32, channels last, 8 channels, from 46 pixels on.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Maps (N, inputs, H, W) to (N, outputs, H / 2, W / 2), rounded up."""
        return super().forward(features[..., ::2, ::2])


def _stem(inputs: int, outputs: int) -> Layers:
    return nn.Conv2d(inputs, outputs, 3, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def _separable(inputs: int, outputs: int) -> Layers:
    return (
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    )
