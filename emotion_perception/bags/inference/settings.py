# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""How recordings are evaluated."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from emotion_perception.core.config import ClassifierConfig, DetectionConfig
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.pipeline import Pipeline

PipelineMaker = Callable[[DetectionConfig, ClassifierConfig], Pipeline]
MODES = ("every_frame", "realtime", "recorded")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How recordings are evaluated.

    Attributes:
        mode: `every_frame` processes each image, `realtime` those a robot would have had time for, `recorded` scores
            the answers that are in the recording.
        topic: the image topic; None takes the camera's.
        detection: parameters of the detector.
        classification: parameters of the classifier.
        anonymize: how faces are hidden in all that is written.
        write_bag: whether to write a recording of the results.
    """

    mode: str = "every_frame"
    topic: str | None = None
    detection: DetectionConfig = field(default_factory=DetectionConfig)
    classification: ClassifierConfig = field(default_factory=ClassifierConfig)
    anonymize: str = "none"
    write_bag: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigurationError(f"mode '{self.mode}' is none of {', '.join(MODES)}")
        if self.write_bag and self.mode == "recorded":
            raise ConfigurationError("--write-bag writes new answers; --score-recorded scores those that are there")


def parameters_of(settings: Settings) -> dict[str, dict[str, Any]]:
    """Returns the parameters of both nodes that have a meaning without them."""
    left_out = (
        "image_reliability",
        "image_transport",
        "sync_queue_size",
        "image_topics",
        "max_batch_size",
        "max_queue_delay_ms",
    )
    nodes = {"face_detection_node": settings.detection, "emotion_classifier_node": settings.classification}
    return {
        node: {name: value for name, value in asdict(config).items() if name not in left_out}
        for node, config in nodes.items()
    }
