# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A worker thread that skips to the newest frame when it cannot keep up, and accounts for every frame."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

from emotion_perception.core.sync.work_load import WorkLoad
from emotion_perception.core.types import FrameCounts

MAX_WAITING = 3
"""Frames that wait in a node that keeps up: a pause of the machine of a tenth of a second at 30 Hz loses none."""

MAX_OVERWRITTEN = 256
"""Maximum number of overwritten frames that wait for `on_drop`."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class LatestFrameWorker(Generic[Item, Result]):
    """A short queue of frames and a thread that empties it.

    As long as the work keeps up with the frames, see `WorkLoad.keeps_up`, up to `max_waiting` of them wait for their
    turn, so that a short pause loses none. Otherwise only the newest one waits, so that the results stay fresh: one
    that is overwritten is counted as dropped. At every instant received = processed + dropped + failed + pending.

    Args:
        work: turns a frame into a result, in the thread; if it raises, the frame counts as failed.
        deliver: gets each result with the counts that include its frame.
        on_failure: gets what `work` or `deliver` raised, with the counts that include its frame (a frame whose result
            could not be delivered counts as processed).
        on_drop: gets each dropped frame in order: an overwritten one in the thread, before the frame that overwrote it
            is processed; one that `stop` could not wait for in the thread that called `stop`; and while the work on a
            frame does not end and more than `MAX_OVERWRITTEN` wait for it, the oldest in the thread that calls `put`.
        without_image: returns an overwritten frame without what `on_drop` does not need, so that its memory is free
            while the work on another frame lasts; None keeps the frame as it is.
        max_waiting: from 1.

    Attributes:
        load: how long frames take, and how often they come.
    """

    def __init__(
        self,
        work: Callable[[Item], Result],
        deliver: Callable[[Result, FrameCounts], None],
        on_failure: Callable[[Exception, FrameCounts], None],
        on_drop: Callable[[Item], None] | None = None,
        *,
        without_image: Callable[[Item], Item] | None = None,
        max_waiting: int = 1,
    ) -> None:
        self._work, self._deliver, self._on_failure, self._on_drop = work, deliver, on_failure, on_drop
        self._without_image, self._max_waiting = without_image, max_waiting
        self.load = WorkLoad()
        self._waiting: list[Item] = []  # oldest first
        self._overwritten: list[Item] = []  # filled only if there is an on_drop
        self._in_progress: list[Item] = []
        self._counts = FrameCounts()
        self._stopping = self._delivering = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="latest-frame", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> FrameCounts:
        """The counts of all frames so far."""
        with self._changed:
            return self._counts

    def put(self, item: Item) -> None:
        """Puts a frame into the queue and returns at once; ignored after `stop`."""
        with self._changed:
            if self._stopping:
                return
            self.load.arrive()
            dropped = self._waiting[: max(0, len(self._waiting) + 1 - self._capacity())]
            del self._waiting[: len(dropped)]
            self._count(received=1, dropped=len(dropped))
            if self._on_drop is not None:
                self._overwritten += map(self._without_image, dropped) if self._without_image else dropped
            self._waiting.append(item)
            excess = self._overwritten[:-MAX_OVERWRITTEN]
            del self._overwritten[: len(excess)]
            self._changed.notify_all()
        for old in excess:
            self._drop(old)

    def stop(self, timeout_s: float) -> bool:
        """Finishes the pending frames and ends the thread.

        If the thread does not end in time, the unfinished frames are dropped and no result of them is delivered.

        Args:
            timeout_s: how long to wait, in seconds.

        Returns:
            False if the thread did not end in time.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            return True
        self._drop_unfinished(timeout_s)
        return False

    def _capacity(self) -> int:
        """Returns how many frames may wait now."""
        return self._max_waiting if not self._waiting or self.load.keeps_up() else 1

    def _drop_unfinished(self, timeout_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._delivering, timeout_s)
            unfinished = [*self._in_progress, *self._overwritten, *self._waiting]
            self._count(dropped=len(self._in_progress) + len(self._waiting))
            for items in (self._in_progress, self._overwritten, self._waiting):
                items.clear()
        for item in unfinished:
            self._drop(item)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    return
                item = self._waiting.pop(0)
                self._in_progress = [item]
                overwritten, self._overwritten = self._overwritten, []
            for old in overwritten:
                self._drop(old)
            self.load.begin()
            self._process(item)
            self.load.end()

    def _drop(self, item: Item) -> None:
        try:
            if self._on_drop is not None:
                self._on_drop(item)
        except Exception as e:  # noqa: BLE001 - the thread outlives a result that cannot be delivered
            self._on_failure(e, self.counts)

    def _process(self, item: Item) -> None:
        try:
            result = self._work(item)
        except Exception as e:  # noqa: BLE001 - whatever one frame does to a detector, the next frame is processed
            if self._finish(failed=1):
                self._on_failure(e, self.counts)
                self._delivered()
            return
        if not self._finish(processed=1):
            return
        counts = self.counts
        try:
            self._deliver(result, counts)
        except Exception as e:  # noqa: BLE001 - the thread outlives a result that cannot be delivered
            self._on_failure(e, counts)
        finally:
            self._delivered()

    def _finish(self, **more: int) -> bool:
        """Counts the frame in progress and begins its delivery; returns False if `stop` has dropped the frame."""
        with self._changed:
            if not self._in_progress:
                return False
            self._in_progress.clear()
            self._delivering = True
            self._count(**more)
            return True

    def _delivered(self) -> None:
        with self._changed:
            self._delivering = False
            self._changed.notify_all()

    def _count(self, **more: int) -> None:
        with self._changed:
            self._counts = replace(
                self._counts, **{name: getattr(self._counts, name) + count for name, count in more.items()}
            )
