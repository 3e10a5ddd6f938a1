# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Problems of a dataset: counts and reasons of what a loader leaves out, and an error if it is too much."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emotion_perception.core.errors import DatasetError, clipped
from emotion_perception.core.printable import printable

_EXAMPLES = 3  # in a message


@dataclass(frozen=True)
class Problem:
    """Items of a dataset that were left out for the same reason.

    Attributes:
        reason: e.g. "corrupt image".
        count: number of items.
        examples: names of the first items.
        is_fault: False if they are left out by design, e.g. images of people of unknown gender.
        total: number of all items of the kind, e.g. of classes; 0 if the items are images.
    """

    reason: str
    count: int
    examples: tuple[str, ...] = ()
    is_fault: bool = True
    total: int = 0

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.examples) else ""
        return f"{self.count} x {self.reason} ({', '.join(self.examples)}{more})"


class ProblemLog:
    """Collects problems while a loader reads; keeps counts and a few names, so that its size is bounded."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, bool], int] = {}
        self._examples: dict[tuple[str, bool], list[str]] = {}

    def add(self, reason: str, name: str, *, is_fault: bool = True) -> None:
        """Counts one image that is left out."""
        key = reason, is_fault
        self._counts[key] = self._counts.get(key, 0) + 1
        examples = self._examples.setdefault(key, [])
        if len(examples) < _EXAMPLES:
            examples.append(clipped(printable(name)))

    def problems(self, total: int = 0) -> tuple[Problem, ...]:
        """Returns the collected problems; `total` as in `Problem`."""
        return tuple(
            Problem(reason, count, tuple(self._examples[reason, is_fault]), is_fault, total)
            for (reason, is_fault), count in self._counts.items()
        )


def problems_of(reason: str, names: Sequence[str], *, is_fault: bool = True, total: int = 0) -> tuple[Problem, ...]:
    """Returns a tuple with the problem of the named items; empty if there are none."""
    return (
        (Problem(reason, len(names), tuple(clipped(printable(name)) for name in names[:_EXAMPLES]), is_fault, total),)
        if names
        else ()
    )


def check_max_bad(max_bad: float, problems: Iterable[Problem], images: int) -> None:
    """Raises an error if too much of a dataset was left out because of faults.

    Args:
        max_bad: largest fraction of unusable images, classes and splits, 0..1.
        problems: what was left out.
        images: number of remaining images.

    Raises:
        DatasetError: the fraction is exceeded; the message names examples.
    """
    faults = [problem for problem in problems if problem.is_fault]
    for problem in faults:
        if problem.total and problem.count > max_bad * problem.total:
            raise DatasetError(f"{problem} of {problem.total}: more than max_bad {max_bad:g} allows")
    bad = [problem for problem in faults if not problem.total]
    count = sum(problem.count for problem in bad)
    if count > max_bad * (count + images):
        named = "; ".join(map(str, bad))
        raise DatasetError(f"{count} of {count + images} are bad, more than max_bad {max_bad:g} allows: {named}")
