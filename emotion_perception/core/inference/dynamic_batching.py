# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""One run of a network for the faces of several cameras."""

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import Backend

_FORGET_S = 1.0  # who has not called for so long is not waited for


@dataclass(eq=False)
class _Request:
    batch: NDArray[np.float32]
    came_s: float
    answer: NDArray[np.float32] | None = None
    fault: Exception | None = None

    @property
    def settled(self) -> bool:
        return self.answer is not None or self.fault is not None


class BatchingBackend:
    """Joins what several threads ask at about the same time into one run of a backend (dynamic batching).

    The first thread leads: it waits for the others that called within the last second, but no longer than `max_queue_delay_s`
    from when its own faces came, and runs the network for all. While it runs, the next requests gather.

    Args:
        backend: runs the network, in one thread at a time.
        max_batch_size: most faces in one run; more are run one part after the other.
        max_queue_delay_s: 0 waits for nobody: what has gathered while the network was busy is run together.
    """

    def __init__(self, backend: Backend, *, max_batch_size: int, max_queue_delay_s: float) -> None:
        self._backend, self._max_batch, self._max_wait_s = backend, max_batch_size, max_queue_delay_s
        self._changed = threading.Condition()
        self._waiting: deque[_Request] = deque()
        self._led = False
        self._called_s: dict[int, float] = {}  # by thread

    @property
    def device(self) -> str:
        """Where the last run was."""
        return self._backend.device

    @property
    def fallback(self) -> bool:
        """Whether the CPU stands in for a GPU."""
        return bool(getattr(self._backend, "fallback", False))

    @property
    def problem(self) -> str:
        """Why it does; empty where it does not."""
        return str(getattr(self._backend, "problem", ""))

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the logits of the caller's own faces; raises what the run with them raised."""
        request = _Request(batch, time.monotonic())
        with self._changed:
            self._called_s[threading.get_ident()] = request.came_s
            self._waiting.append(request)
            self._changed.notify_all()
            self._changed.wait_for(lambda: request.settled or not self._led)
            if leads := not request.settled:
                self._led = True
        while not request.settled:
            self._run(self._gather())
        if leads:
            with self._changed:
                self._led = False
                self._changed.notify_all()
        if request.fault is not None:
            raise request.fault
        assert request.answer is not None
        return request.answer

    def _gather(self) -> list[_Request]:
        """Waits for the others, and takes as many requests as one run has room for, but at least one."""
        with self._changed:
            oldest = self._waiting[0]
            remaining_s = oldest.came_s + self._max_wait_s - time.monotonic()
            if remaining_s > 0:
                self._changed.wait_for(self._all_are_here, remaining_s)
            taken = [self._waiting.popleft()]
            faces = len(taken[0].batch)
            while self._waiting and (faces := faces + len(self._waiting[0].batch)) <= self._max_batch:
                taken.append(self._waiting.popleft())
            return taken

    def _all_are_here(self) -> bool:
        now_s = time.monotonic()
        self._called_s = {who: when for who, when in self._called_s.items() if now_s - when < _FORGET_S}
        full = sum(len(request.batch) for request in self._waiting) >= self._max_batch
        return full or len(self._waiting) >= len(self._called_s)

    def _run(self, taken: list[_Request]) -> None:
        """Runs the network for some requests and settles them."""
        try:
            logits = self._logits(np.concatenate([request.batch for request in taken]))
        except Exception as e:  # noqa: BLE001 - each caller gets it, and the next run is another one
            for request in taken:
                request.fault = e
        else:
            ends = np.cumsum([len(request.batch) for request in taken])
            for request, answer in zip(taken, np.split(logits, ends[:-1]), strict=True):
                request.answer = answer
        with self._changed:
            self._changed.notify_all()

    def _logits(self, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        parts = range(0, len(faces), self._max_batch)
        return np.concatenate([self._backend(faces[begin : begin + self._max_batch]) for begin in parts])
