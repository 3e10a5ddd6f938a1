# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""How recordings are evaluated."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.options import option_values
from emotion_perception.core.pipeline import Pipeline, PipelineOptions

PipelineMaker = Callable[[PipelineOptions], Pipeline]
MODES = ("every_frame", "realtime", "recorded")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How recordings are evaluated.

    Attributes:
        mode: `every_frame` processes each image, `realtime` those a robot would have had time for, `recorded` scores
            the answers that are in the recording.
        topic: the image topic; None takes the camera's.
        pipeline: options of the stages that make predictions.
        anonymize: how faces are hidden in all that is written.
        write_bag: whether to write a recording of the results.
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
            raise ConfigurationError("--write-bag writes new answers; --score-recorded scores those that are there")


def parameters_of(settings: Settings) -> dict[str, dict[str, Any]]:
    """Returns the options of the stages as parameters of the nodes that run them, as reports show them."""
    options = settings.pipeline
    return {
        "face_detection_node": {**option_values(options.detector), **option_values(options.tracker)},
        "emotion_classifier_node": {**option_values(options.classifier), **option_values(options.recognizer)},
    }
