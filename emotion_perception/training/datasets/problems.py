# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a loader left out, and why: counted, named, and an error past a stated share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emotion_perception.core.errors import DatasetError

_EXAMPLES = 3  # that a message names


@dataclass(frozen=True)
class Problem:
    """What was left out for one reason.

    Attributes:
        reason: what is wrong, e.g. "corrupt image".
        count: how many there are.
        examples: names of the first few.
        is_fault: False where they are left out by design, e.g. an image of a person of unknown gender.
        total: how many there are of the kind, bad ones included, e.g. classes; 0 where they are images.
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
    """Collects problems while a loader reads; keeps the counts and a few names, whatever the size of the data."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, bool], int] = {}
        self._examples: dict[tuple[str, bool], list[str]] = {}

    def add(self, reason: str, name: str, *, is_fault: bool = True) -> None:
        """Counts one image that is left out."""
        key = reason, is_fault
        self._counts[key] = self._counts.get(key, 0) + 1
        examples = self._examples.setdefault(key, [])
        if len(examples) < _EXAMPLES:
            examples.append(name)

    def problems(self, total: int = 0) -> tuple[Problem, ...]:
        """Returns what was counted; `total` as of `Problem`."""
        return tuple(
            Problem(reason, count, tuple(self._examples[reason, is_fault]), is_fault, total)
            for (reason, is_fault), count in self._counts.items()
        )


def problems_of(reason: str, names: Sequence[str], *, is_fault: bool = True, total: int = 0) -> tuple[Problem, ...]:
    """Returns the problem that all of `names` have; nothing where there are none."""
    return (Problem(reason, len(names), tuple(names[:_EXAMPLES]), is_fault, total),) if names else ()


def refuse_past(max_bad: float, problems: Iterable[Problem], images: int) -> None:
    """Refuses data of which too much is bad.

    Args:
        max_bad: share of the images, and of the classes and splits, that may be bad, 0..1.
        problems: what was left out.
        images: how many are left.

    Raises:
        DatasetError: more than that is bad; the message names the first ones.
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
