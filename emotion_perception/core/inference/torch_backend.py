# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs torch networks on CUDA or on the CPU. Imports torch: imported only where it is used."""

import numpy as np
import torch
from numpy.typing import NDArray

from emotion_perception.core.errors import DeviceError, one_line


class TorchBackend:
    """Runs a network in torch; a `Backend`.

    It computes in full float32: with TF32 the results of a face would depend on the size of its batch.

    Args:
        network: maps float32 (N, 1, S, S) to logits (N, L), in eval mode; moved to the device.
        device: `cpu` or `cuda:N`.
    """

    fallback, problem = False, ""

    def __init__(self, network: torch.nn.Module, device: str) -> None:
        torch.backends.cudnn.allow_tf32 = False
        self.device = device
        self._network = network.to(device)

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the logits.

        Raises:
            DeviceError: a GPU is out of memory or gone.
        """
        try:
            with torch.inference_mode():
                logits: NDArray[np.float32] = self._network(torch.from_numpy(batch).to(self.device)).cpu().numpy()
        except RuntimeError as e:  # torch's OutOfMemoryError and AcceleratorError are subclasses
            if self.device == "cpu":
                raise
            raise DeviceError(f"{self.device}: {one_line(e)}") from e
        return logits
