# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The interface of everything that runs a network."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Backend(Protocol):
    """Runs a network on a batch of inputs."""

    @property
    def device(self) -> str:
        """Where the last batch ran: `cpu` or `cuda:N`."""
        ...

    @property
    def fallback(self) -> bool:
        """Whether the CPU replaces a GPU that failed."""
        ...

    @property
    def problem(self) -> str:
        """Why the GPU failed, in one line; empty unless `fallback` is True."""
        ...

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the logits, float32 (N, L), of a batch, float32 (N, 1, S, S), N at least 1.

        A backend that was opened with features returns float32 (N, L + F): the F features before the last layer follow.

        Raises:
            DeviceError: the device failed, e.g. a GPU is out of memory.
        """
        ...
