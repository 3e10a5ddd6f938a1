# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Settings of the benchmark that all sections share."""

from dataclasses import dataclass, replace
from pathlib import Path

from emotion_perception.benchmark.scene import Scene


@dataclass(frozen=True)
class Setup:
    """Settings of the benchmark.

    Attributes:
        out: existing folder for intermediate files.
        scene: source of the images.
        data: FER-2013 data file as for `emotion-perception train`; None leaves out accuracies.
        rounds: number of calls of each timed function.
        seconds: duration of each run of the nodes, in seconds.
        minutes: durations of the recordings, in minutes.
    """

    out: Path
    scene: Scene
    data: Path | None = None
    rounds: int = 30
    seconds: float = 10.0
    minutes: tuple[float, ...] = (1.0, 10.0)


def quick(setup: Setup) -> Setup:
    """Returns the shortest settings with which every section still runs, for a smoke test."""
    return replace(setup, rounds=2, seconds=4.0, minutes=(0.1,))
