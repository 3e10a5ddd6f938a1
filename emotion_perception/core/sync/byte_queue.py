# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A queue between threads whose size is limited in bytes."""

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ByteQueue(Generic[Item]):
    """A first-in, first-out queue for one consumer; an item that does not fit is rejected, `put` never blocks.

    Args:
        capacity_bytes: maximum size of the queued items; a single item is always accepted.
    """

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity_bytes, self._bytes = capacity_bytes, 0
        self._items: deque[tuple[Item, int]] = deque()
        self._changed = threading.Condition()
        self._closed = False

    @property
    def ended(self) -> bool:
        """Whether the queue is closed and empty."""
        with self._changed:
            return self._closed and not self._items

    def put(self, item: Item, size_bytes: int) -> bool:
        """Appends an item; returns False if it does not fit or the queue is closed."""
        with self._changed:
            full = bool(self._items) and self._bytes + size_bytes > self._capacity_bytes
            if self._closed or full:
                return False
            self._items.append((item, size_bytes))
            self._bytes += size_bytes
            self._changed.notify()
            return True

    def get(self, timeout_s: float) -> Item | None:
        """Returns the next item; None if none arrives in time or the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if not self._items:
                return None
            item, size_bytes = self._items.popleft()
            self._bytes -= size_bytes
            return item

    def close(self) -> None:
        """Rejects further items; queued ones can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
