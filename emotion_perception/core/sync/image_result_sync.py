"""Pictures that wait for what is computed from them, and go on without it when it is late."""

import math
from typing import Generic, TypeVar

Picture = TypeVar("Picture")
Result = TypeVar("Result")

_RESTART_NS = 1_000_000_000  # a picture so much older than the newest is no disorder: the clock or the bag jumped back
_NEVER_NS = -(2**63)


class PictureQueue(Generic[Picture, Result]):
    """Hands on pictures in the order of their stamps, each at most once: with their result, or without it when late.

    A picture is superseded, and not handed on, when the result of a later one comes first: the detector dropped it.

    The wait of a picture begins when it came, or when a picture was last handed on with its result, whichever is
    later. So a detector that answers in time, but not every picture, never makes bare pictures flicker between the
    others.

    Args:
        depth: how many pictures wait at most, and how many results wait for their picture; when one more comes, the
            oldest picture goes on without its result, the oldest result is given up.

    Attributes:
        superseded: pictures that were not handed on, so far.
        unmatched: results that were not handed on, so far: too late, or their picture never came.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._pictures: dict[int, tuple[Picture, float]] = {}  # with the time at which each came
        self._results: dict[int, Result] = {}
        self._last_ns = _NEVER_NS  # stamp of the last picture handed on
        self._answered_s = -math.inf  # when a picture was last handed on with its result
        self.superseded = 0
        self.unmatched = 0

    def add_picture(self, stamp_ns: int, picture: Picture, now_s: float) -> list[tuple[Picture, Result | None]]:
        """Adds a picture; returns what goes on now, oldest first.

        Args:
            stamp_ns: its stamp in nanoseconds. One more than a second older than the newest begins anew.
            picture: what is handed on.
            now_s: a steady clock, in seconds.
        """
        if stamp_ns < max(self._last_ns, *self._pictures, _NEVER_NS) - _RESTART_NS:
            self.clear()
        if stamp_ns <= self._last_ns or stamp_ns in self._pictures:
            self.superseded += 1
            return []
        self._pictures[stamp_ns] = picture, now_s
        if stamp_ns in self._results:
            return [self._join(stamp_ns, now_s)]
        return [self._without(min(self._pictures))] if len(self._pictures) > self._depth else []

    def add_result(self, stamp_ns: int, result: Result, now_s: float) -> list[tuple[Picture, Result | None]]:
        """Adds a result; returns what goes on now."""
        if stamp_ns <= self._last_ns:
            self.unmatched += 1
            return []
        self._results[stamp_ns] = result
        if stamp_ns in self._pictures:
            return [self._join(stamp_ns, now_s)]
        if len(self._results) > self._depth:
            del self._results[next(iter(self._results))]
            self.unmatched += 1
        return []

    def expire(self, now_s: float, timeout_s: float) -> list[tuple[Picture, Result | None]]:
        """Returns the pictures that have waited for `timeout_s` seconds, oldest stamp first."""
        late: list[tuple[Picture, Result | None]] = []
        for stamp_ns in sorted(self._pictures):
            if now_s - max(self._pictures[stamp_ns][1], self._answered_s) < timeout_s:
                break
            late.append(self._without(stamp_ns))
        return late

    def clear(self) -> None:
        """Forgets all that waits, and every stamp."""
        self.superseded += len(self._pictures)
        self.unmatched += len(self._results)
        self._pictures.clear()
        self._results.clear()
        self._last_ns, self._answered_s = _NEVER_NS, -math.inf

    @property
    def waiting(self) -> int:
        """Pictures that wait for their result."""
        return len(self._pictures)

    def _join(self, stamp_ns: int, now_s: float) -> tuple[Picture, Result]:
        picture, _ = self._pictures.pop(stamp_ns)
        result = self._results.pop(stamp_ns)
        for older in [stamp for stamp in self._pictures if stamp < stamp_ns]:
            del self._pictures[older]
            self.superseded += 1
        self._pass(stamp_ns)
        self._answered_s = now_s
        return picture, result

    def _without(self, stamp_ns: int) -> tuple[Picture, None]:
        picture, _ = self._pictures.pop(stamp_ns)
        self._pass(stamp_ns)
        return picture, None

    def _pass(self, stamp_ns: int) -> None:
        """Notes the stamp of a picture that goes on; results of that one and of older ones are of no use any more."""
        self._last_ns = stamp_ns
        for older in [stamp for stamp in self._results if stamp <= stamp_ns]:
            del self._results[older]
            self.unmatched += 1
