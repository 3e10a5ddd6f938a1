# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Replaces a GPU that fails by the CPU, and returns to it when it works again."""

import logging
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import DeviceError
from emotion_perception.core.inference.backend import Backend

_log = logging.getLogger(__name__)
RETRY_S = 30.0  # how long the CPU is used after a failure before the GPU is tried again


class FailoverBackend:
    """Runs batches on a GPU; a batch that fails there, e.g. out of memory, runs on the CPU at once. A `Backend`.

    Args:
        gpu: raises `DeviceError` if the device fails.
        make_cpu: creates the backend that runs on the CPU; called at the first failure.
        clock_s: steady time in seconds.

    Attributes:
        fallback: True while the CPU replaces the GPU.
        problem: why the GPU failed, in one line; empty unless `fallback` is True.
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
        """Where the last batch ran."""
        return self._cpu.device if self.fallback and self._cpu else self._gpu.device

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the logits, from whichever device could compute them."""
        if not self.fallback or self._clock_s() >= self._retry_at_s:
            try:
                logits = self._gpu(batch)
            except DeviceError as e:
                self._on_failure(str(e))
            else:
                self._on_success()
                return logits
        self._cpu = self._cpu or self._make_cpu()
        return self._cpu(batch)

    def _on_failure(self, problem: str) -> None:
        self._retry_at_s = self._clock_s() + RETRY_S
        if not self.fallback:
            _log.warning("%s failed, classifying on the CPU: %s", self._gpu.device, problem)
        self.fallback, self.problem = True, problem

    def _on_success(self) -> None:
        if self.fallback:
            _log.info("%s works again", self._gpu.device)
        self.fallback, self.problem = False, ""
