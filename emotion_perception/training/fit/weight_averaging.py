# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The exponential moving average (EMA) of the weights, which is validated and exported."""

from collections.abc import Callable

import lightning as L
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

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Moves the average to the device that trains; Lightning builds it before the network is there.

        The number of steps stays in main memory: torch reads it in each step, which would wait for a GPU.
        """
        super().on_train_start(trainer, pl_module)
        assert self._average_model is not None  # built in setup
        self._average_model.to(pl_module.device)
        self._average_model.n_averaged = self._average_model.n_averaged.cpu()


def _averaging(decay: float) -> Callable[[list[Tensor], list[Tensor], Tensor], None]:
    @torch.no_grad()
    def average(averages: list[Tensor], currents: list[Tensor], steps: Tensor) -> None:
        """Averages tensors of one device and type."""
        if not averages[0].is_floating_point():
            torch._foreach_copy_(averages, currents)  # counters of batches
            return
        new = 1 - ((1 + steps) / (10 + steps)).clamp_max(decay)
        changes = torch._foreach_sub(currents, averages)
        torch._foreach_mul_(changes, new.to(averages[0].dtype))
        torch._foreach_add_(averages, changes)

    return average
