# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where the answers of an evaluation come from: the pipeline that runs now, or the recording."""

from collections.abc import Iterator
from typing import Protocol

from emotion_perception.bags.inference.frame_result import FrameResult, ModelPredictionSource
from emotion_perception.bags.inference.recorded_predictions import RecordedPredictions
from emotion_perception.bags.inference.runner import RealtimePlayer, every_frame
from emotion_perception.bags.inference.settings import PipelineMaker, Settings
from emotion_perception.bags.io.images import image_topic, read_bag_images
from emotion_perception.bags.io.recorded_topic import Topic
from emotion_perception.bags.io.recording import Recording


class PredictionSource(Protocol):
    """Where answers come from."""

    @property
    def topic(self) -> Topic | None:
        """The images, or None where the recording holds answers only."""
        ...

    @property
    def identity(self) -> ModelPredictionSource:
        """What gives the answers."""
        ...

    def outcomes(self) -> Iterator[FrameResult]:
        """Yields every frame."""
        ...

    def problems(self) -> list[str]:
        """Returns what was wrong, one line each."""
        ...


class _Played:
    """Answers that are made now."""

    def __init__(self, recording: Recording, settings: Settings, make_pipeline: PipelineMaker) -> None:
        self.topic = image_topic(recording, settings.topic)
        self._recording, self._settings = recording, settings
        self._pipeline = make_pipeline(settings.detection, settings.classification)
        classifier = self._pipeline.recognizer.classifier
        classifier.warm_up(require_gpu=settings.classification.require_gpu)
        self.identity = ModelPredictionSource(
            classifier.labels, classifier.model_name, classifier.model_sha256, classifier.device
        )

    def outcomes(self) -> Iterator[FrameResult]:
        images = read_bag_images(self._recording, self.topic)
        if self._settings.mode == "realtime":
            return RealtimePlayer(self._pipeline, self._settings.classification.max_load).play(images)
        return every_frame(images, self._pipeline)

    def problems(self) -> list[str]:
        return []


class _Recorded:
    """Answers that are in the recording."""

    def __init__(self, recording: Recording, settings: Settings) -> None:
        self._answers = RecordedPredictions(recording, settings.topic)
        self.topic, self.identity = self._answers.image_topic, self._answers.model

    def outcomes(self) -> Iterator[FrameResult]:
        return self._answers.outcomes()

    def problems(self) -> list[str]:
        counts = {
            "recorded answers cannot be read": self._answers.unreadable,
            "answers are to images that are not in the recording": self._answers.without_image,
        }
        return [f"{count} {what}" for what, count in counts.items() if count]


def open_source(recording: Recording, settings: Settings, make_pipeline: PipelineMaker) -> PredictionSource:
    """Returns what gives the answers that the settings ask for."""
    if settings.mode == "recorded":
        return _Recorded(recording, settings)
    return _Played(recording, settings, make_pipeline)
