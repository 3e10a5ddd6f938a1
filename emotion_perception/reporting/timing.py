# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Interleaved timing of functions, so that a disturbance of the machine affects all of them alike."""

import time
from collections.abc import Callable, Mapping

import numpy as np
from tqdm import tqdm


def time_interleaved(
    cases: Mapping[str, Callable[[], object]], *, rounds: int, what: str, warm_up: int = 3
) -> dict[str, dict[str, float]]:
    """Measures functions by calling each of them once per round.

    Args:
        cases: functions by name.
        rounds: number of measured rounds.
        what: text in front of the progress bar.
        warm_up: number of rounds before, which are not measured.

    Returns:
        `p50`, `p90` and `p99` of each function's time in milliseconds.
    """
    times: dict[str, list[float]] = {name: [] for name in cases}
    for number in tqdm(range(warm_up + rounds), desc=what, unit=" rounds", disable=None, leave=False):
        for name, call in cases.items():
            begun = time.perf_counter()
            call()
            if number >= warm_up:
                times[name].append((time.perf_counter() - begun) * 1e3)
    return {
        name: {f"p{which}": float(np.percentile(values, which)) for which in (50, 90, 99)}
        for name, values in times.items()
    }
