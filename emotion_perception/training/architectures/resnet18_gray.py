# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`resnet18_gray`: the second network of system A (A2), after He et al. 2016, for one channel."""

from torch import Tensor, nn

from emotion_perception.training.architectures.layers import require_positive


class ResNet18Gray(nn.Sequential):
    """Maps float32 (N, 1, H, W) to logits (N, num_classes), H and W arbitrary.

    Unlike torchvision's, every convolution has a bias and the convolutions on the skips have no batch normalization:
    11,176,839 parameters with seven classes.

    Args:
        num_classes: outputs.

    Raises:
        ValueError: `num_classes` is not a whole number from 1.
    """

    def __init__(self, num_classes: int = 7) -> None:
        require_positive(num_classes=num_classes)
        super().__init__(
            nn.Conv2d(1, 64, 7, stride=2, padding=3),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
            _Block(64, 64),
            _Block(64, 64),
            _Block(64, 128),
            _Block(128, 128),
            _Block(128, 256),
            _Block(256, 256),
            _Block(256, 512),
            _Block(512, 512),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(512, num_classes),
        )


class _Block(nn.Module):
    """Two 3x3 convolutions and a skip; where the number of channels changes, the image is halved."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
        )
        self.skip = nn.Identity() if stride == 1 else nn.Conv2d(inputs, outputs, 1, stride=stride)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Maps (N, inputs, H, W) to (N, outputs, H / stride, W / stride), rounded up."""
        return self.activation(self.body(features) + self.skip(features))
