# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Images that wait for what is computed from them, and go on without it when it is late."""

import math
from typing import Generic, TypeVar

Image = TypeVar("Image")
Result = TypeVar("Result")

_RESTART_NS = 1_000_000_000  # an image so much older than the newest is no disorder: the clock or the bag jumped back
_NEVER_NS = -(2**63)


class ImageResultSync(Generic[Image, Result]):
    """Hands on images in the order of their stamps, each at most once: with their result, or without it when late.

    An image is superseded, and not handed on, when the result of a later one comes first: the detector dropped it.

    The wait of an image begins when it came, or when an image was last handed on with its result, whichever is
    later. So a detector that answers in time, but not every image, never makes bare images flicker between the
    others.

    Args:
        depth: how many images wait at most, and how many results wait for their image; when one more comes, the
            oldest image goes on without its result, the oldest result is given up.

    Attributes:
        superseded: images that were not handed on, so far.
        unmatched: results that were not handed on, so far: too late, or their image never came.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._images: dict[int, tuple[Image, float]] = {}  # with the time at which each came
        self._results: dict[int, Result] = {}
        self._last_ns = _NEVER_NS  # stamp of the last image handed on
        self._answered_s = -math.inf  # when an image was last handed on with its result
        self.superseded = 0
        self.unmatched = 0

    def add_image(self, stamp_ns: int, image: Image, now_s: float) -> list[tuple[Image, Result | None]]:
        """Adds an image; returns what goes on now, oldest first.

        Args:
            stamp_ns: its stamp in nanoseconds. One more than a second older than the newest begins anew.
            image: what is handed on.
            now_s: a steady clock, in seconds.
        """
        if stamp_ns < max(self._last_ns, *self._images, _NEVER_NS) - _RESTART_NS:
            self.clear()
        if stamp_ns <= self._last_ns or stamp_ns in self._images:
            self.superseded += 1
            return []
        self._images[stamp_ns] = image, now_s
        if stamp_ns in self._results:
            return [self._join(stamp_ns, now_s)]
        return [self._without(min(self._images))] if len(self._images) > self._depth else []

    def add_result(self, stamp_ns: int, result: Result, now_s: float) -> list[tuple[Image, Result | None]]:
        """Adds a result; returns what goes on now."""
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
            if now_s - max(self._images[stamp_ns][1], self._answered_s) < timeout_s:
                break
            late.append(self._without(stamp_ns))
        return late

    def clear(self) -> None:
        """Forgets all that waits, and every stamp."""
        self.superseded += len(self._images)
        self.unmatched += len(self._results)
        self._images.clear()
        self._results.clear()
        self._last_ns, self._answered_s = _NEVER_NS, -math.inf

    @property
    def waiting(self) -> int:
        """Images that wait for their result."""
        return len(self._images)

    def _join(self, stamp_ns: int, now_s: float) -> tuple[Image, Result]:
        image, _ = self._images.pop(stamp_ns)
        result = self._results.pop(stamp_ns)
        for older in [stamp for stamp in self._images if stamp < stamp_ns]:
            del self._images[older]
            self.superseded += 1
        self._pass(stamp_ns)
        self._answered_s = now_s
        return image, result

    def _without(self, stamp_ns: int) -> tuple[Image, None]:
        image, _ = self._images.pop(stamp_ns)
        self._pass(stamp_ns)
        return image, None

    def _pass(self, stamp_ns: int) -> None:
        """Notes the stamp of an image that goes on; results of that one and of older ones are of no use any more."""
        self._last_ns = stamp_ns
        for older in [stamp for stamp in self._results if stamp <= stamp_ns]:
            del self._results[older]
            self.unmatched += 1
