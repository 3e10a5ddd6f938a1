# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A queue between threads that is bounded by the bytes in it."""

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ByteQueue(Generic[Item]):
    """First in, first out, for one thread that takes; what does not fit is refused, never waited for.

    Args:
        capacity_bytes: how much may wait; one item always may.
    """

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity_bytes, self._bytes = capacity_bytes, 0
        self._items: deque[tuple[Item, int]] = deque()
        self._changed = threading.Condition()
        self._closed = False

    @property
    def ended(self) -> bool:
        """Whether nothing is left and nothing will come."""
        with self._changed:
            return self._closed and not self._items

    def put(self, item: Item, size_bytes: int) -> bool:
        """Appends an item; returns False where it does not fit, or the queue is closed."""
        with self._changed:
            full = bool(self._items) and self._bytes + size_bytes > self._capacity_bytes
            if self._closed or full:
                return False
            self._items.append((item, size_bytes))
            self._bytes += size_bytes
            self._changed.notify()
            return True

    def get(self, timeout_s: float) -> Item | None:
        """Returns the next item, or None where none comes in time or the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if not self._items:
                return None
            item, size_bytes = self._items.popleft()
            self._bytes -= size_bytes
            return item

    def close(self) -> None:
        """Takes no more; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
