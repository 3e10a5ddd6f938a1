# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every section of the benchmark gets."""

from dataclasses import dataclass, replace
from pathlib import Path

from emotion_perception.benchmark.scene import Scene


@dataclass(frozen=True)
class Setup:
    """How to measure.

    Attributes:
        out: folder for what is made on the way; it exists.
        scene: the images.
        data: FER-2013 as `emotion-perception train` takes it; None leaves accuracies out.
        rounds: calls of each function that is timed.
        seconds: length of each run of the nodes.
        minutes: lengths of the recordings.
    """

    out: Path
    scene: Scene
    data: Path | None = None
    rounds: int = 30
    seconds: float = 10.0
    minutes: tuple[float, ...] = (1.0, 10.0)


def quick(setup: Setup) -> Setup:
    """Returns the same with everything as short as it still works, to see that it works."""
    return replace(setup, rounds=2, seconds=4.0, minutes=(0.1,))
