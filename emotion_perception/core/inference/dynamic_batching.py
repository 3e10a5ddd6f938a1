# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Dynamic batching: one run of a network for the faces of several cameras."""

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.inference.backend import Backend

_FORGET_S = 1.0  # a thread that has not called for this long is not waited for


@dataclass(eq=False)
class _Request:
    batch: NDArray[np.float32]
    arrived_s: float
    logits: NDArray[np.float32] | None = None
    error: Exception | None = None

    @property
    def done(self) -> bool:
        return self.logits is not None or self.error is not None


class BatchingBackend:
    """Joins the batches that several threads request at about the same time into one run of a backend. A `Backend`.

    The first thread leads: it waits for the others that called within the last second, at most until
    `max_queue_delay_s` after the arrival of its own batch, and runs the network for all. Meanwhile the next requests
    are queued.

    Args:
        backend: runs the network, in one thread at a time.
        max_batch_size: maximum number of faces per run; a larger request is run in parts.
        max_queue_delay_s: 0 does not wait: only what was queued while the network was busy is joined.
    """

    def __init__(self, backend: Backend, *, max_batch_size: int, max_queue_delay_s: float) -> None:
        self._backend, self._max_batch_size, self._max_queue_delay_s = backend, max_batch_size, max_queue_delay_s
        self._changed = threading.Condition()
        self._queue: deque[_Request] = deque()
        self._has_leader = False
        self._last_call_s: dict[int, float] = {}  # by thread

    @property
    def device(self) -> str:
        """Where the last batch ran."""
        return self._backend.device

    @property
    def fallback(self) -> bool:
        """Whether the CPU replaces a GPU that failed."""
        return self._backend.fallback

    @property
    def problem(self) -> str:
        """Why the GPU failed; empty unless `fallback` is True."""
        return self._backend.problem

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the logits of the caller's own batch; raises what the run that contained it raised."""
        request = _Request(batch, time.monotonic())
        with self._changed:
            self._last_call_s[threading.get_ident()] = request.arrived_s
            self._queue.append(request)
            self._changed.notify_all()
            self._changed.wait_for(lambda: request.done or not self._has_leader)
            if leads := not request.done:
                self._has_leader = True
        while not request.done:
            self._run(self._next_requests())
        if leads:
            with self._changed:
                self._has_leader = False
                self._changed.notify_all()
        if request.error is not None:
            raise request.error
        assert request.logits is not None
        return request.logits

    def _next_requests(self) -> list[_Request]:
        """Waits for the other threads, and takes as many requests as fit into one run, at least one."""
        with self._changed:
            oldest = self._queue[0]
            remaining_s = oldest.arrived_s + self._max_queue_delay_s - time.monotonic()
            if remaining_s > 0:
                self._changed.wait_for(self._complete, remaining_s)
            requests = [self._queue.popleft()]
            faces = len(requests[0].batch)
            while self._queue and (faces := faces + len(self._queue[0].batch)) <= self._max_batch_size:
                requests.append(self._queue.popleft())
            return requests

    def _complete(self) -> bool:
        """Returns whether the batch is full, or every thread that called lately has a request in the queue."""
        now_s = time.monotonic()
        self._last_call_s = {
            thread: called_s for thread, called_s in self._last_call_s.items() if now_s - called_s < _FORGET_S
        }
        full = sum(len(request.batch) for request in self._queue) >= self._max_batch_size
        return full or len(self._queue) >= len(self._last_call_s)

    def _run(self, requests: list[_Request]) -> None:
        """Runs the network for some requests and gives each its logits, or the error."""
        try:
            logits = self._logits(np.concatenate([request.batch for request in requests]))
        except Exception as e:  # noqa: BLE001 - every caller gets it; the next run is another one
            for request in requests:
                request.error = e
        else:
            ends = np.cumsum([len(request.batch) for request in requests])
            for request, part in zip(requests, np.split(logits, ends[:-1]), strict=True):
                request.logits = part
        with self._changed:
            self._changed.notify_all()

    def _logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        size = self._max_batch_size
        return np.concatenate([self._backend(batch[begin : begin + size]) for begin in range(0, len(batch), size)])
