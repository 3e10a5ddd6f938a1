# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Settings of an evaluation of recordings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.pipeline import Pipeline, PipelineOptions, node_parameters

PipelineMaker = Callable[[PipelineOptions], Pipeline]
MODES = ("every_frame", "realtime", "recorded")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of an evaluation of recordings.

    Attributes:
        mode: `every_frame` processes each image, `realtime` drops the images that this machine has no time for,
            `recorded` scores the predictions in the recording.
        topic: the image topic; None selects the topic of the camera.
        pipeline: options of the stages that make predictions.
        anonymize: how faces are hidden in reports and written recordings, one of `core.rendering.ANONYMIZERS`.
        write_bag: write a recording with the results.

    Raises:
        ConfigurationError: the mode is unknown, or does not allow `write_bag`.
    """

    mode: str = "every_frame"
    topic: str | None = None
    pipeline: PipelineOptions = field(default_factory=PipelineOptions)
    anonymize: str = "none"
    write_bag: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigurationError(f"mode '{self.mode}' is none of {', '.join(MODES)}")
        if self.write_bag and self.mode == "recorded":
            raise ConfigurationError(
                "--write-bag writes new predictions, so it cannot be combined with --score-recorded"
            )


def parameters_of(settings: Settings) -> dict[str, dict[str, Any]]:
    """Returns the options of the stages as parameters of the nodes that run them, as reports show them."""
    return node_parameters(settings.pipeline)
