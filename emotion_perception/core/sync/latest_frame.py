# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A worker that always takes the newest frame, and accounts for every one that it was given."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

from emotion_perception.core.types import FrameCounts

Item = TypeVar("Item")
Result = TypeVar("Result")


class LatestFrameWorker(Generic[Item, Result]):
    """A one-place slot and a thread that empties it.

    A frame that is overwritten before the thread was free is counted as dropped, so at every instant
    received = processed + dropped + failed + pending.

    Args:
        work: turns a frame into a result, in the thread; what it raises makes the frame a failed one.
        deliver: gets each result with the counts that include its frame.
        on_failure: gets what `work` or `deliver` raised, with the counts that include its frame (a frame whose result
            could not be delivered stays a processed one).
        on_drop: gets each overwritten frame, in the thread, in order, before the frame that overwrote it is worked on.
    """

    def __init__(
        self,
        work: Callable[[Item], Result],
        deliver: Callable[[Result, FrameCounts], None],
        on_failure: Callable[[Exception, FrameCounts], None],
        on_drop: Callable[[Item], None] | None = None,
    ) -> None:
        self._work, self._deliver, self._on_failure, self._on_drop = work, deliver, on_failure, on_drop
        self._slot: list[Item] = []
        self._overwritten: list[Item] = []  # kept only while somebody wants to hear of them
        self._counts = FrameCounts()
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="latest-frame", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> FrameCounts:
        """What became of the frames so far."""
        with self._changed:
            return self._counts

    def put(self, item: Item) -> None:
        """Hands in a frame; returns at once. After `stop` it does nothing."""
        with self._changed:
            if self._stopping:
                return
            self._count(received=1, dropped=len(self._slot))
            if self._on_drop is not None:
                self._overwritten += self._slot
            self._slot[:] = [item]
            self._changed.notify_all()

    def stop(self, timeout_s: float) -> bool:
        """Finishes what is pending and ends the thread; False where it did not end within `timeout_s`."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._slot or self._stopping)
                if not self._slot:
                    return
                item = self._slot.pop()
                overwritten, self._overwritten = self._overwritten, []
            for old in overwritten:
                self._drop(old)
            self._process(item)

    def _drop(self, item: Item) -> None:
        try:
            if self._on_drop is not None:
                self._on_drop(item)
        except Exception as e:  # noqa: BLE001 - the thread outlives a result that cannot be sent
            self._on_failure(e, self.counts)

    def _process(self, item: Item) -> None:
        try:
            result = self._work(item)
        except Exception as e:  # noqa: BLE001 - whatever one frame does to a detector, the next frame is processed
            self._on_failure(e, self._count(failed=1))
            return
        counts = self._count(processed=1)
        try:
            self._deliver(result, counts)
        except Exception as e:  # noqa: BLE001 - the thread outlives a result that cannot be sent
            self._on_failure(e, counts)

    def _count(self, **more: int) -> FrameCounts:
        with self._changed:
            self._counts = replace(
                self._counts, **{name: getattr(self._counts, name) + count for name, count in more.items()}
            )
            return self._counts
