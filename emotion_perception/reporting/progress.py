# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The bar that long work shows."""

from typing import Any

from tqdm import tqdm


def progress_bar(total: int, what: str, *, shown: bool, unit: str = "pictures") -> "tqdm[Any]":
    """Returns a bar over `total` units that is gone when it is full; also where `shown`, only on a terminal."""
    return tqdm(total=total, desc=what, unit=f" {unit}", disable=None if shown else True, leave=False)
