# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The exponential moving average (EMA) of the weights, which is validated and exported."""

from collections.abc import Callable, Sequence

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class WeightAverage(WeightAveraging):
    """Exponential moving average of weights and buffers with a warm-up of the decay.

    Lightning's average has a constant decay: at 0.999 the random weights still count after a thousand steps, so a short
    run ends with useless weights. Here the decay grows to its value, as in TensorFlow's `ExponentialMovingAverage`. The
    checkpoints have the same format.

    Args:
        decay: share of the old average that a step keeps; reached after about 10 / (1 - decay) steps.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(use_buffers=True, multi_avg_fn=_averaging(decay))


def _averaging(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor], None]:
    @torch.no_grad()
    def average(averages: Sequence[Tensor], currents: Sequence[Tensor], steps: Tensor) -> None:
        kept = min(decay, (1 + float(steps)) / (10 + float(steps)))
        for mean, current in zip(averages, currents, strict=True):
            if mean.is_floating_point():
                mean.lerp_(current, 1 - kept)
            else:
                mean.copy_(current)  # a counter of batches

    return average
