# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The emotions in each image of an input."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from emotion_perception.annotate.inputs import InputImage, Kind
from emotion_perception.core.errors import one_line
from emotion_perception.core.pipeline import Pipeline
from emotion_perception.core.types import Face, FaceEmotion

PROCESSED, FAILED = "processed", "failed"  # as in frames.csv of evaluate-bag
_DETECTION_THREADS = 2
_LOOK_AHEAD = 3  # images whose detection may run while earlier ones are classified


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
    if kind is Kind.LIVE:  # looking ahead would make its images older
        for image in images:
            yield _recognize(image, None, pipeline)
        return
    with ThreadPoolExecutor(_DETECTION_THREADS, "detect") as detection:
        pending: deque[tuple[InputImage, Future[list[Face] | None]]] = deque()
        for image in images:
            pending.append((image, detection.submit(pipeline.detect, image.image_bgr)))
            if len(pending) > _LOOK_AHEAD:
                yield _next(pending, kind, pipeline)
        while pending:
            yield _next(pending, kind, pipeline)


def _next(
    pending: "deque[tuple[InputImage, Future[list[Face] | None]]]", kind: Kind, pipeline: Pipeline
) -> ImageResult:
    image, detected = pending.popleft()
    if kind is not Kind.IMAGES:
        return _recognize(image, detected, pipeline)
    pipeline.tracking.reset()
    pipeline.recognizer.reset()
    result = _recognize(image, detected, pipeline)
    emotions = (replace(emotion, face=replace(emotion.face, track_id=0)) for emotion in result.emotions)
    return replace(result, emotions=tuple(emotions))


def _recognize(image: InputImage, detected: "Future[list[Face] | None] | None", pipeline: Pipeline) -> ImageResult:
    stamp_s = image.stamp_ns * 1e-9
    try:
        detections = None if detected is None else detected.result()
        faces = pipeline.track(image.image_bgr, stamp_s, detections=detections)
        emotions = pipeline.recognize(image.image_bgr, faces, stamp_s)
        return ImageResult(image, PROCESSED, tuple(faces), tuple(emotions))
    except Exception as e:  # noqa: BLE001 - whatever one image does to a model, the next one is processed
        return ImageResult(image, FAILED, problem=one_line(e))
