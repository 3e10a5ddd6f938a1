# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Joins images with their results by equal stamps, for a consumer that shows every image in time."""

import math
from collections.abc import Callable
from typing import Generic, TypeVar

from emotion_perception.core.sync.exact_time_sync import MAX_QUEUE_BYTES

Image = TypeVar("Image")
Result = TypeVar("Result")

_RESTART_NS = 1_000_000_000  # an image this much older than the newest means that the clock or the bag jumped back
_NEVER_NS = -(2**63)


class ImageResultSync(Generic[Image, Result]):
    """Returns images in the order of their stamps, each at most once: with their result, or without a late one.

    An image is superseded, and not returned, if the result of a later one arrives first: the detector dropped it.

    The wait of an image starts at its arrival, or when an image was last returned with its result, whichever is later.
    So images without result do not flicker between the others if the detector is in time but drops frames.

    `ExactTimeSync` is the opposite: there results wait for images.

    Args:
        depth: maximum number of images that wait for their result, and of results that wait for their image; one more
            image returns the oldest one without its result, one more result discards the oldest one.
        size_of: returns the size of an image in bytes.
        max_bytes: maximum size of the images that wait; beyond it the oldest ones are returned without their result.

    Attributes:
        superseded: number of images so far that were not returned.
        unmatched: number of results so far that were not returned: too late, or their image never arrived.
    """

    def __init__(
        self, depth: int, *, size_of: Callable[[Image], int] = lambda _: 0, max_bytes: int = MAX_QUEUE_BYTES
    ) -> None:
        self._depth, self._size_of, self._max_bytes = depth, size_of, max_bytes
        self._images: dict[int, tuple[Image, float]] = {}  # with the time of arrival
        self._results: dict[int, Result] = {}
        self._last_ns = _NEVER_NS  # stamp of the last image returned
        self._joined_s = -math.inf  # when an image was last returned with its result
        self.superseded = 0
        self.unmatched = 0

    def add_image(self, stamp_ns: int, image: Image, now_s: float) -> list[tuple[Image, Result | None]]:
        """Adds an image; returns the images that are ready now, oldest first.

        Args:
            stamp_ns: its stamp in nanoseconds; one that is more than a second older than the newest clears everything.
            image: the image.
            now_s: time of a steady clock, in seconds.
        """
        if stamp_ns < max(self._last_ns, *self._images, _NEVER_NS) - _RESTART_NS:
            self.clear()
        if stamp_ns <= self._last_ns or stamp_ns in self._images:
            self.superseded += 1
            return []
        self._images[stamp_ns] = image, now_s
        if stamp_ns in self._results:
            return [self._join(stamp_ns, now_s)]
        excess: list[tuple[Image, Result | None]] = []
        while len(self._images) > self._depth or self._waiting_bytes() > self._max_bytes:
            excess.append(self._without(min(self._images)))
        return excess

    def add_result(self, stamp_ns: int, result: Result, now_s: float) -> list[tuple[Image, Result | None]]:
        """Adds a result; returns the images that are ready now, as `add_image` does."""
        if stamp_ns <= self._last_ns:
            self.unmatched += 1
            return []
        self._results[stamp_ns] = result
        if stamp_ns in self._images:
            return [self._join(stamp_ns, now_s)]
        if len(self._results) > self._depth:
            del self._results[next(iter(self._results))]
            self.unmatched += 1
        return []

    def expire(self, now_s: float, timeout_s: float) -> list[tuple[Image, Result | None]]:
        """Returns the images that have waited for `timeout_s` seconds, oldest stamp first."""
        late: list[tuple[Image, Result | None]] = []
        for stamp_ns in sorted(self._images):
            if now_s - max(self._images[stamp_ns][1], self._joined_s) < timeout_s:
                break
            late.append(self._without(stamp_ns))
        return late

    def clear(self) -> None:
        """Discards everything that waits, and all stamps."""
        self.superseded += len(self._images)
        self.unmatched += len(self._results)
        self._images.clear()
        self._results.clear()
        self._last_ns, self._joined_s = _NEVER_NS, -math.inf

    @property
    def waiting(self) -> int:
        """Number of images that wait for their result."""
        return len(self._images)

    def _waiting_bytes(self) -> int:
        return sum(self._size_of(image) for image, _ in self._images.values())

    def _join(self, stamp_ns: int, now_s: float) -> tuple[Image, Result]:
        image, _ = self._images.pop(stamp_ns)
        result = self._results.pop(stamp_ns)
        for older in [stamp for stamp in self._images if stamp < stamp_ns]:
            del self._images[older]
            self.superseded += 1
        self._discard_results(stamp_ns)
        self._joined_s = now_s
        return image, result

    def _without(self, stamp_ns: int) -> tuple[Image, None]:
        image, _ = self._images.pop(stamp_ns)
        self._discard_results(stamp_ns)
        return image, None

    def _discard_results(self, stamp_ns: int) -> None:
        """Sets the stamp of the last returned image; results of it and of older images are no longer needed."""
        self._last_ns = stamp_ns
        for older in [stamp for stamp in self._results if stamp <= stamp_ns]:
            del self._results[older]
            self.unmatched += 1
