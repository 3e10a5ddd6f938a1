# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pairs two streams by equal stamp."""

from collections import OrderedDict
from typing import Generic, TypeVar

Image = TypeVar("Image")
Result = TypeVar("Result")


class ExactTimeSync(Generic[Image, Result]):
    """Joins images with the results that were computed from them.

    A result waits for its image as long as it is among the newest `depth` results and no later image has been
    joined; then it is given up. Images without a result are normal (the detector drops frames) and just forgotten.

    Args:
        depth: how many of each kind are kept.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._images: OrderedDict[int, Image] = OrderedDict()
        self._results: OrderedDict[int, Result] = OrderedDict()
        self.unmatched = 0

    def add_image(self, stamp_ns: int, image: Image) -> list[tuple[Image | None, Result]]:
        """Adds an image; returns what is settled now, oldest first: (image, result), or (None, result) given up."""
        self._images[stamp_ns] = image
        while len(self._images) > self._depth:
            self._images.popitem(last=False)
        return self._settle(stamp_ns) if stamp_ns in self._results else []

    def add_result(self, stamp_ns: int, result: Result) -> list[tuple[Image | None, Result]]:
        """Adds a result; returns what is settled now, as `add_image` does."""
        self._results[stamp_ns] = result
        if stamp_ns in self._images:
            return self._settle(stamp_ns)
        return self._give_up(len(self._results) - self._depth)

    def flush(self) -> list[tuple[Image | None, Result]]:
        """Gives up every waiting result and forgets all images."""
        self._images.clear()
        return self._give_up(len(self._results))

    @property
    def waiting(self) -> int:
        """Results that wait for their image."""
        return len(self._results)

    def _settle(self, stamp_ns: int) -> list[tuple[Image | None, Result]]:
        settled = self._give_up(list(self._results).index(stamp_ns))
        return [*settled, (self._images.pop(stamp_ns), self._results.pop(stamp_ns))]

    def _give_up(self, count: int) -> list[tuple[Image | None, Result]]:
        given_up: list[tuple[Image | None, Result]] = [
            (None, self._results.popitem(last=False)[1]) for _ in range(count)
        ]
        self.unmatched += len(given_up)
        return given_up
