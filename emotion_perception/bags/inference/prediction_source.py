# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The source of the predictions of an evaluation: the pipeline, or the EmotionArrays of the recording."""

from collections.abc import Iterator
from typing import Protocol

from emotion_perception.bags.inference.frame_result import FrameResult
from emotion_perception.bags.inference.recorded_predictions import RecordedPredictions
from emotion_perception.bags.inference.runner import RealtimeRunner, process_every_frame
from emotion_perception.bags.inference.settings import PipelineMaker, Settings
from emotion_perception.bags.io.camera import recorded_camera
from emotion_perception.bags.io.images import image_topic, read_bag_images
from emotion_perception.bags.io.recorded_topic import Topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.types import ModelInfo


class PredictionSource(Protocol):
    """Yields the result of each frame of a recording."""

    @property
    def topic(self) -> Topic | None:
        """The image topic, or None if the recording has no images."""
        ...

    @property
    def model(self) -> ModelInfo:
        """The model that makes, or made, the predictions."""
        ...

    def frame_results(self) -> Iterator[FrameResult]:
        """Yields the result of each frame."""
        ...

    def problems(self) -> list[str]:
        """Returns the problems of the recording that the frames so far have shown, one line each."""
        ...


class _PipelinePredictions:
    """Predictions of the pipeline on the images of a recording."""

    def __init__(self, recording: Recording, settings: Settings, make_pipeline: PipelineMaker) -> None:
        self.topic = image_topic(recording, settings.topic)
        self._recording, self._settings = recording, settings
        self._pipeline = make_pipeline(settings.pipeline)
        self._camera = recorded_camera(recording, self.topic)
        self._pipeline.camera = self._camera.model
        self._other_sizes = 0
        classifier = self._pipeline.recognizer.classifier
        classifier.warm_up(require_gpu=settings.pipeline.classifier.require_gpu)
        self.model = classifier.info

    def frame_results(self) -> Iterator[FrameResult]:
        images = read_bag_images(self._recording, self.topic)
        if self._settings.mode == "realtime":
            results = RealtimeRunner(self._pipeline, self._settings.pipeline.recognizer.max_load).run(images)
        else:
            results = process_every_frame(images, self._pipeline)
        camera = self._camera.model
        for result in results:
            self._other_sizes += camera is not None and result.size is not None and not camera.fits(result.size)
            yield result

    def problems(self) -> list[str]:
        topic, camera, problem = self._camera
        problems = []
        if camera is not None and self._other_sizes:
            size = f"{camera.image_wh[0]}x{camera.image_wh[1]} pixels, but {self._other_sizes} images are not"
            problem = f"{topic} is for {size}: their positions are unknown"
        if problem:
            problems.append(problem)
        if rejected := self._pipeline.recognizer.outputs_rejected:
            problems.append(f"{self.model.model}: the model's outputs are not finite for {rejected} crops of faces")
        return problems


def open_source(recording: Recording, settings: Settings, make_pipeline: PipelineMaker) -> PredictionSource:
    """Returns the source of predictions that the settings select.

    Raises:
        RecordingError: the recording has no images, or no predictions with mode `recorded`.
        ConfigurationError, ModelFileError, ModelBundleError: see `Pipeline`.
    """
    if settings.mode == "recorded":
        return RecordedPredictions(recording, settings.topic)
    return _PipelinePredictions(recording, settings, make_pipeline)
