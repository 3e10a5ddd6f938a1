# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs the pipeline on the images of a recording: on every image, or in real time with dropped frames."""

import math
import queue
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import DROPPED, FAILED, PROCESSED, SKIPPED, UNDECODABLE, FrameResult
from emotion_perception.bags.io.images import BagImage
from emotion_perception.bags.io.messages import NS
from emotion_perception.core.classification import LoadShedder
from emotion_perception.core.errors import ImageError, one_line
from emotion_perception.core.pipeline import Pipeline, look_ahead
from emotion_perception.core.sync import MAX_WAITING, LatestFrameWorker
from emotion_perception.core.types import Face, FaceEmotion, FrameCounts

_STOP_S = 60.0  # limit for the last frames
_MAX_PAUSE_S = 10.0  # between two frames; the work on earlier ones is then done


@dataclass(frozen=True, eq=False)
class _DetectedFrame:
    """A decoded image with its detections.

    Attributes:
        bag_image: message of the image.
        image: uint8 (H, W, 3) BGR.
        detections: result of `Pipeline.detect`.
        decode_ms: time of decoding.
        detect_ms: time of detection.
    """

    bag_image: BagImage
    image: NDArray[np.uint8]
    detections: list[Face] | None
    decode_ms: float
    detect_ms: float


@dataclass(frozen=True, eq=False)
class _TrackedFrame:
    """A decoded image with its tracked faces.

    Attributes:
        bag_image: message of the image.
        image: uint8 (H, W, 3) BGR.
        faces: faces with track ids.
        decode_ms: time of decoding.
        detect_ms: time of detection and tracking.
    """

    bag_image: BagImage
    image: NDArray[np.uint8]
    faces: list[Face]
    decode_ms: float
    detect_ms: float


def process_every_frame(images: Iterable[BagImage], pipeline: Pipeline) -> Iterator[FrameResult]:
    """Processes each image in the order of recording; the same images give the same results.

    Detection of the next images runs in other threads while an image is classified; tracking and classification keep
    the order.

    Args:
        images: images of one stream.
        pipeline: a new one, so that track ids start at 1.
    """

    def detect(bag_image: BagImage) -> _DetectedFrame | FrameResult:
        return _detect(bag_image, pipeline)

    def track(_: BagImage, detected: Future[_DetectedFrame | FrameResult]) -> _TrackedFrame | FrameResult:
        return _track(detected.result(), pipeline)

    with closing(look_ahead(images, detect, track)) as frames:  # also its threads, on Ctrl-C
        for tracked in frames:
            yield _classify(tracked, pipeline)


def _detect(bag_image: BagImage, pipeline: Pipeline) -> _DetectedFrame | FrameResult:
    """Decodes an image and runs the detector; returns the frame's result if one of them fails."""
    begun_s = time.monotonic()
    try:
        image = bag_image.to_bgr()
    except ImageError as e:
        return _frame_result(bag_image, UNDECODABLE, problem=str(e))
    decoded_s = time.monotonic()
    try:
        detections = pipeline.detect(image)
    except Exception as e:  # noqa: BLE001 - whatever one image does to a model, the next one is processed
        return _frame_result(bag_image, FAILED, problem=one_line(e), image=image)
    detect_ms = (time.monotonic() - decoded_s) * 1e3
    return _DetectedFrame(bag_image, image, detections, (decoded_s - begun_s) * 1e3, detect_ms)


def _track(detected: _DetectedFrame | FrameResult, pipeline: Pipeline) -> _TrackedFrame | FrameResult:
    """Tracks the faces of an image; returns the frame's result if that or an earlier stage fails."""
    if isinstance(detected, FrameResult):
        return detected
    bag_image, begun_s = detected.bag_image, time.monotonic()
    try:
        faces = pipeline.track(detected.image, bag_image.stamp_s, detections=detected.detections)
    except Exception as e:  # noqa: BLE001 - see _detect
        return _frame_result(bag_image, FAILED, problem=one_line(e), image=detected.image)
    detect_ms = detected.detect_ms + (time.monotonic() - begun_s) * 1e3
    return _TrackedFrame(bag_image, detected.image, faces, detected.decode_ms, detect_ms)


def _classify(tracked: _TrackedFrame | FrameResult, pipeline: Pipeline) -> FrameResult:
    """Classifies all faces of an image; the latency is the sum of the stages."""
    if isinstance(tracked, FrameResult):
        return tracked
    result = _recognize(tracked, pipeline)
    if result.classify_ms is None:
        return result
    return replace(result, latency_ms=tracked.decode_ms + tracked.detect_ms + result.classify_ms)


def _recognize(
    tracked: _TrackedFrame, pipeline: Pipeline, *, max_classified: int | None = None, time_limit_s: float = math.inf
) -> FrameResult:
    """Classifies the faces of an image, as many as there is time for; the result has no latency yet."""
    begun_s, stamp_s = time.monotonic(), tracked.bag_image.stamp_s
    try:
        emotions = pipeline.recognize(
            tracked.image, tracked.faces, stamp_s, max_classified=max_classified, time_limit_s=time_limit_s
        )
    except Exception as e:  # noqa: BLE001 - see _detect
        return _frame_result(tracked.bag_image, FAILED, problem=one_line(e), image=tracked.image)
    return _frame_result(
        tracked.bag_image,
        PROCESSED,
        emotions=emotions,
        image=tracked.image,
        detect_ms=tracked.detect_ms,
        classify_ms=(time.monotonic() - begun_s) * 1e3,
    )


@dataclass(frozen=True, eq=False)
class _ScheduledImage:
    """An image and its place in the real-time schedule.

    Attributes:
        bag_image: message of the image.
        due_s: time on the monotonic clock at which a robot would have received it.
    """

    bag_image: BagImage
    due_s: float


@dataclass(frozen=True, eq=False)
class _ScheduledFaces:
    """Tracked faces for the classifier.

    Attributes:
        scheduled: the image and its schedule.
        tracked: the tracked faces.
        age_ms: age of the image when detection began.
    """

    scheduled: _ScheduledImage
    tracked: _TrackedFrame
    age_ms: float


class RealtimeRunner:
    """Feeds images at the rate of their recording to a detection and a classification worker, like the two nodes.

    Each worker takes the newest frame if it cannot keep up with them. A frame that is replaced before the detector is
    free is dropped, one that is replaced before the classifier is free is skipped. A pause of the recording, in which
    there is nothing to process, is cut to 10 s. The transport of messages between processes is not simulated.

    Args:
        pipeline: a new one.
        max_load: parameter of the classifier node.
    """

    def __init__(self, pipeline: Pipeline, max_load: float) -> None:
        self._pipeline, self._max_load = pipeline, max_load
        self._results: queue.SimpleQueue[FrameResult | Exception] = queue.SimpleQueue()
        self._load_shedder = LoadShedder()

    def run(self, images: Iterable[BagImage]) -> Iterator[FrameResult]:
        """Yields the result of each image in the order of the images."""
        waiting: dict[int, FrameResult] = {}
        next_index = 0
        for result in self._results_as_known(images):
            waiting[result.index] = result
            while next_index in waiting:
                yield waiting.pop(next_index)
                next_index += 1

    def _results_as_known(self, images: Iterable[BagImage]) -> Iterator[FrameResult]:
        """Yields the result of each image as soon as it is known, that of a dropped frame before earlier ones."""
        detector = LatestFrameWorker(
            self._detect_and_track, self._enqueue_faces, self._fail, on_drop=self._drop, max_waiting=MAX_WAITING
        )
        self._classifier = LatestFrameWorker(
            self._classify, self._enqueue_result, self._fail, on_drop=self._skip, max_waiting=MAX_WAITING
        )
        try:
            begun_s, first_ns = time.monotonic(), None
            for bag_image in images:
                first_ns = bag_image.received_ns if first_ns is None else first_ns
                due_s = begun_s + (bag_image.received_ns - first_ns) / NS
                too_long_s = max(0.0, due_s - time.monotonic() - _MAX_PAUSE_S)
                begun_s, due_s = begun_s - too_long_s, due_s - too_long_s
                yield from self._results_until(due_s)
                detector.put(_ScheduledImage(bag_image, due_s))
        finally:
            detector.stop(_STOP_S)
            self._classifier.stop(_STOP_S)
        yield from self._results_until(0.0)

    def _results_until(self, due_s: float) -> Iterator[FrameResult]:
        """Yields the results that are there, and those that come before a time of the monotonic clock."""
        while True:
            try:
                wait_s = due_s - time.monotonic()
                result = self._results.get(timeout=wait_s) if wait_s > 0 else self._results.get_nowait()
            except queue.Empty:
                if due_s <= time.monotonic():
                    return
                continue
            if isinstance(result, Exception):
                raise result
            yield result

    def _detect_and_track(self, scheduled: _ScheduledImage) -> _ScheduledFaces | None:
        age_ms = (time.monotonic() - scheduled.due_s) * 1e3
        tracked = _track(_detect(scheduled.bag_image, self._pipeline), self._pipeline)
        if isinstance(tracked, FrameResult):
            self._results.put(tracked)
            return None
        return _ScheduledFaces(scheduled, tracked, age_ms)

    def _enqueue_faces(self, faces: _ScheduledFaces | None, counts: FrameCounts) -> None:
        if faces is not None:
            self._load_shedder.arrive(time.monotonic())
            self._classifier.put(faces)

    def _classify(self, item: _ScheduledFaces) -> FrameResult:
        begun_s = time.monotonic()
        budget = self._load_shedder.max_faces(self._max_load)
        limit_s = self._load_shedder.time_limit_s(self._max_load)
        result = _recognize(item.tracked, self._pipeline, max_classified=budget, time_limit_s=limit_s)
        done_s = time.monotonic()
        self._load_shedder.add_measurement(sum(one.classified for one in result.emotions), done_s - begun_s)
        if result.status != PROCESSED:
            return result
        return replace(result, latency_ms=(done_s - item.scheduled.due_s) * 1e3, age_ms=item.age_ms)

    def _enqueue_result(self, result: FrameResult, counts: FrameCounts) -> None:
        self._results.put(result)

    def _fail(self, error: Exception, counts: FrameCounts) -> None:
        """Passes on an exception that the stages do not handle, which is a fault of this class."""
        self._results.put(error)

    def _drop(self, scheduled: _ScheduledImage) -> None:
        self._results.put(_frame_result(scheduled.bag_image, DROPPED))

    def _skip(self, faces: _ScheduledFaces) -> None:
        self._results.put(_frame_result(faces.scheduled.bag_image, SKIPPED, image=faces.tracked.image))


def _frame_result(
    bag_image: BagImage,
    status: str,
    *,
    problem: str = "",
    emotions: Iterable[FaceEmotion] = (),
    image: NDArray[np.uint8] | None = None,
    detect_ms: float | None = None,
    classify_ms: float | None = None,
) -> FrameResult:
    return FrameResult(
        index=bag_image.number,
        stamp_ns=bag_image.stamp_ns,
        received_ns=bag_image.received_ns,
        status=status,
        problem=problem,
        emotions=tuple(emotions),
        image_bgr=image,
        size=None if image is None else (image.shape[1], image.shape[0]),
        detect_ms=detect_ms,
        classify_ms=classify_ms,
        raw=bag_image.raw,
    )
