# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Times of functions that are compared: in turns, so that what disturbs the machine disturbs all of them."""

import time
from collections.abc import Callable, Mapping

import numpy as np
from tqdm import tqdm


def in_turns(
    cases: Mapping[str, Callable[[], object]], *, rounds: int, what: str, warm_up: int = 3
) -> dict[str, dict[str, float]]:
    """Returns `p50`, `p90` and `p99` of each function's time in milliseconds.

    Args:
        cases: what is compared; each is called once a round.
        rounds: how many calls of each count.
        what: said by the progress bar.
        warm_up: rounds before that, which do not count.
    """
    times: dict[str, list[float]] = {name: [] for name in cases}
    for number in tqdm(range(warm_up + rounds), desc=what, unit=" rounds", disable=None, leave=False):
        for name, call in cases.items():
            begun = time.perf_counter()
            call()
            if number >= warm_up:
                times[name].append((time.perf_counter() - begun) * 1e3)
    return {
        name: {f"p{which}": float(np.percentile(found, which)) for which in (50, 90, 99)}
        for name, found in times.items()
    }
