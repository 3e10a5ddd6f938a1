# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The running mean of the weights, which is what is evaluated and kept."""

from collections.abc import Callable, Sequence

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class WeightAverage(WeightAveraging):
    """An exponential moving average of weights and buffers that forgets its beginning.

    Lightning's own has one decay from the first step on: at 0.999 it still remembers the random weights after a
    thousand steps, so a short run is worth nothing. Here the decay grows to its value, as in TensorFlow's
    `ExponentialMovingAverage`. The checkpoints are the same.

    Args:
        decay: share of the old average that a step keeps, reached after about 10 / (1 - decay) steps.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(use_buffers=True, multi_avg_fn=_averaging(decay))


def _averaging(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor], None]:
    @torch.no_grad()
    def average(averages: Sequence[Tensor], currents: Sequence[Tensor], steps: Tensor) -> None:
        keep = min(decay, (1 + float(steps)) / (10 + float(steps)))
        for mean, current in zip(averages, currents, strict=True):
            if mean.is_floating_point():
                mean.lerp_(current, 1 - keep)
            else:
                mean.copy_(current)  # a counter

    return average
