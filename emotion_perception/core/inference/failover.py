# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A backend on a GPU that gives way to the CPU when the GPU fails, and goes back when it can."""

import logging
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import Backend
from emotion_perception.core.errors import DeviceError

_log = logging.getLogger(__name__)
RETRY_S = 30.0  # after a failure the CPU works for so long before the GPU is tried again


class FailoverBackend:
    """Runs batches on a GPU; one that fails there, out of memory or with the GPU gone, is run on the CPU at once.

    Args:
        gpu: raises `DeviceError` where the device fails.
        make_cpu: makes the other backend, at the first failure.
        clock_s: steady time in seconds.

    Attributes:
        fallback: True while the CPU stands in for the GPU.
        problem: why, else empty.
    """

    def __init__(
        self, gpu: Backend, make_cpu: Callable[[], Backend], *, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._gpu, self._make_cpu, self._clock_s = gpu, make_cpu, clock_s
        self._cpu: Backend | None = None
        self._retry_at_s = 0.0
        self.fallback = False
        self.problem = ""

    @property
    def device(self) -> str:
        """Where the last batch was run."""
        return self._cpu.device if self.fallback and self._cpu else self._gpu.device

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the logits, of whichever device could compute them."""
        if not self.fallback or self._clock_s() >= self._retry_at_s:
            try:
                logits = self._gpu(batch)
            except DeviceError as e:
                self._give_way(str(e))
            else:
                self._come_back()
                return logits
        self._cpu = self._cpu or self._make_cpu()
        return self._cpu(batch)

    def _give_way(self, problem: str) -> None:
        self._retry_at_s = self._clock_s() + RETRY_S
        if not self.fallback:
            _log.warning("%s fails, classifying on the CPU: %s", self._gpu.device, problem)
        self.fallback, self.problem = True, problem

    def _come_back(self) -> None:
        if self.fallback:
            _log.info("%s works again", self._gpu.device)
        self.fallback, self.problem = False, ""
