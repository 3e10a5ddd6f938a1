# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Joins results with their images by equal stamps, for a consumer that needs every result."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

MAX_QUEUE_BYTES = 512 * 2**20
"""Maximum size of the images that wait in one queue."""

Image = TypeVar("Image")
Result = TypeVar("Result")


class ExactTimeSync(Generic[Image, Result]):
    """Joins results with the images that they were computed from; every result is returned exactly once.

    A result waits for its image while it is among the newest `depth` results and no later image has been joined;
    then it is returned without its image. Images without a result are normal (the detector drops frames) and are
    discarded.

    `ImageResultSync` is the opposite: there images wait for results, in stamp order and with a timeout. The two share
    little more than a dictionary by stamp, so they are two classes and not one with a policy.

    Args:
        depth: maximum number of images and of results that are kept.
        size_of: returns the size of an image in bytes.
        max_bytes: maximum size of all images that are kept; the newest one is kept whatever its size.

    Attributes:
        unmatched: number of results so far that were returned without their image.
    """

    def __init__(
        self, depth: int, *, size_of: Callable[[Image], int] = lambda _: 0, max_bytes: int = MAX_QUEUE_BYTES
    ) -> None:
        self._depth, self._size_of, self._max_bytes = depth, size_of, max_bytes
        self._bytes = 0
        self._images: OrderedDict[int, Image] = OrderedDict()
        self._results: OrderedDict[int, Result] = OrderedDict()
        self.unmatched = 0

    def add_image(self, stamp_ns: int, image: Image) -> list[tuple[Image | None, Result]]:
        """Adds an image.

        Args:
            stamp_ns: its stamp in nanoseconds.
            image: the image.

        Returns:
            What is complete now, oldest first: (image, result), or (None, result) for a result without its image.
        """
        self._remove_image(stamp_ns)
        self._images[stamp_ns] = image
        self._bytes += self._size_of(image)
        while len(self._images) > self._depth or (self._bytes > self._max_bytes and len(self._images) > 1):
            self._remove_image(next(iter(self._images)))
        return self._join(stamp_ns) if stamp_ns in self._results else []

    def add_result(self, stamp_ns: int, result: Result) -> list[tuple[Image | None, Result]]:
        """Adds a result; returns what is complete now, as `add_image` does."""
        self._results[stamp_ns] = result
        if stamp_ns in self._images:
            return self._join(stamp_ns)
        return self._take_unmatched(len(self._results) - self._depth)

    def flush(self) -> list[tuple[Image | None, Result]]:
        """Returns every waiting result without its image, and discards all images."""
        self._images.clear()
        self._bytes = 0
        return self._take_unmatched(len(self._results))

    @property
    def waiting(self) -> int:
        """Number of results that wait for their image."""
        return len(self._results)

    def _join(self, stamp_ns: int) -> list[tuple[Image | None, Result]]:
        unmatched = self._take_unmatched(list(self._results).index(stamp_ns))
        return [*unmatched, (self._remove_image(stamp_ns), self._results.pop(stamp_ns))]

    def _remove_image(self, stamp_ns: int) -> Image | None:
        """Removes an image; returns None if there is none with that stamp."""
        image = self._images.pop(stamp_ns, None)
        if image is not None:
            self._bytes -= self._size_of(image)
        return image

    def _take_unmatched(self, count: int) -> list[tuple[Image | None, Result]]:
        unmatched: list[tuple[Image | None, Result]] = [
            (None, self._results.popitem(last=False)[1]) for _ in range(count)
        ]
        self.unmatched += len(unmatched)
        return unmatched
