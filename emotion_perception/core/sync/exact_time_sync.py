"""Pairs two streams by equal stamp."""

from collections import OrderedDict
from typing import Generic, TypeVar

Picture = TypeVar("Picture")
Result = TypeVar("Result")


class StampMatcher(Generic[Picture, Result]):
    """Joins pictures with the results that were computed from them.

    A result waits for its picture as long as it is among the newest `depth` results and no later picture has been
    joined; then it is given up. Pictures without a result are normal (the detector drops frames) and just forgotten.

    Args:
        depth: how many of each kind are kept.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._pictures: OrderedDict[int, Picture] = OrderedDict()
        self._results: OrderedDict[int, Result] = OrderedDict()
        self.unmatched = 0

    def add_picture(self, stamp_ns: int, picture: Picture) -> list[tuple[Picture | None, Result]]:
        """Adds a picture; returns what is settled now, oldest first: (picture, result), or (None, result) given up."""
        self._pictures[stamp_ns] = picture
        while len(self._pictures) > self._depth:
            self._pictures.popitem(last=False)
        return self._settle(stamp_ns) if stamp_ns in self._results else []

    def add_result(self, stamp_ns: int, result: Result) -> list[tuple[Picture | None, Result]]:
        """Adds a result; returns what is settled now, as `add_picture` does."""
        self._results[stamp_ns] = result
        if stamp_ns in self._pictures:
            return self._settle(stamp_ns)
        return self._give_up(len(self._results) - self._depth)

    def flush(self) -> list[tuple[Picture | None, Result]]:
        """Gives up every waiting result and forgets all pictures."""
        self._pictures.clear()
        return self._give_up(len(self._results))

    @property
    def waiting(self) -> int:
        """Results that wait for their picture."""
        return len(self._results)

    def _settle(self, stamp_ns: int) -> list[tuple[Picture | None, Result]]:
        settled = self._give_up(list(self._results).index(stamp_ns))
        return [*settled, (self._pictures.pop(stamp_ns), self._results.pop(stamp_ns))]

    def _give_up(self, count: int) -> list[tuple[Picture | None, Result]]:
        given_up: list[tuple[Picture | None, Result]] = [
            (None, self._results.popitem(last=False)[1]) for _ in range(count)
        ]
        self.unmatched += len(given_up)
        return given_up
