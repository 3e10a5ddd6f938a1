# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Progress bar of long computations."""

from typing import Any

from tqdm import tqdm


def progress_bar(total: int | None, what: str, *, shown: bool, unit: str = "images") -> "tqdm[Any]":
    """Returns a progress bar that is erased when closed.

    Args:
        total: number of units; None if it is not known.
        what: text in front of the bar.
        shown: False hides it; True shows it where stderr is a terminal.
        unit: what is counted, plural.
    """
    return tqdm(total=total, desc=what, unit=f" {unit}", disable=None if shown else True, leave=False)
