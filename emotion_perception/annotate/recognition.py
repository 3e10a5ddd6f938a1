# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The emotions in each image of an input."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

from emotion_perception.annotate.inputs import InputImage, Kind
from emotion_perception.core.errors import one_line
from emotion_perception.core.pipeline import Pipeline, look_ahead
from emotion_perception.core.types import Face, FaceEmotion

PROCESSED, FAILED = "processed", "failed"  # as in frames.csv of evaluate-bag


@dataclass(frozen=True, eq=False)
class ImageResult:
    """The emotions in one image.

    Attributes:
        source: the image.
        status: `processed`, or `failed` if the detector or the model raised an error.
        faces: all of them, also those that are too many to classify.
        emotions: of the faces that were classified.
        problem: why it failed.
    """

    source: InputImage
    status: str
    faces: tuple[Face, ...] = ()
    emotions: tuple[FaceEmotion, ...] = ()
    problem: str = ""


def recognize(images: Iterable[InputImage], kind: Kind, pipeline: Pipeline) -> Iterator[ImageResult]:
    """Yields the emotions in each image, in order.

    Args:
        images: of one input.
        kind: of the input; unrelated images have neither tracks nor smoothing, and the track id of their faces is 0.
        pipeline: a new one.
    """

    def detect(image: InputImage) -> list[Face] | None:
        return pipeline.detect(image.image_bgr)

    def track(image: InputImage, detected: Future[list[Face] | None] | None = None) -> ImageResult:
        if kind is Kind.IMAGES:
            pipeline.tracking.reset()
        try:
            detections = None if detected is None else detected.result()
            faces = pipeline.track(image.image_bgr, image.stamp_ns * 1e-9, detections=detections)
        except Exception as e:  # noqa: BLE001 - whatever one image does to a model, the next one is processed
            return ImageResult(image, FAILED, problem=one_line(e))
        return ImageResult(image, PROCESSED, tuple(faces))

    live = kind is Kind.LIVE  # looking ahead would make its images older
    for tracked in map(track, images) if live else look_ahead(images, detect, track):
        if kind is Kind.IMAGES:
            pipeline.recognizer.reset()
        yield tracked if tracked.status == FAILED else _classified(tracked, kind, pipeline)


def _classified(tracked: ImageResult, kind: Kind, pipeline: Pipeline) -> ImageResult:
    image = tracked.source
    try:
        emotions = pipeline.recognize(image.image_bgr, tracked.faces, image.stamp_ns * 1e-9)
    except Exception as e:  # noqa: BLE001 - see `recognize`
        return ImageResult(image, FAILED, problem=one_line(e))
    if kind is Kind.IMAGES:
        emotions = [replace(emotion, face=replace(emotion.face, track_id=0)) for emotion in emotions]
    return replace(tracked, emotions=tuple(emotions))
