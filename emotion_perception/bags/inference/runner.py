# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs the pipeline over the images of a recording: each of them, or those that a robot would have had time for."""

import queue
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import DROPPED, FAILED, PROCESSED, SKIPPED, UNDECODABLE, FrameResult
from emotion_perception.bags.io.images import BagImage
from emotion_perception.bags.io.messages import NS
from emotion_perception.core.classification.load_shedding import LoadShedder
from emotion_perception.core.errors import ImageError, one_line
from emotion_perception.core.pipeline import Pipeline
from emotion_perception.core.sync.latest_frame import LatestFrameWorker
from emotion_perception.core.types import Face, FaceEmotion, FrameCounts

_LOOKERS = 2  # threads in which the detector looks at images
_AHEAD = 3  # images that are looked at while earlier ones are classified
_STOP_S = 60.0  # that the last frames may take


@dataclass(frozen=True, eq=False)
class _Looked:
    """An image that is decoded.

    Attributes:
        image: the message.
        image: uint8 (H, W, 3) BGR.
        seen: what the detector found, as of `Pipeline.look`.
        decode_ms: what decoding it cost.
        look_ms: what the detector cost.
    """

    bag_image: BagImage
    image: NDArray[np.uint8]
    seen: list[Face] | None
    decode_ms: float
    look_ms: float


@dataclass(frozen=True, eq=False)
class _Found:
    """An image whose faces are found.

    Attributes:
        image: the message.
        image: uint8 (H, W, 3) BGR.
        faces: with their numbers.
        decode_ms: what decoding it cost.
        detect_ms: what finding them cost.
    """

    bag_image: BagImage
    image: NDArray[np.uint8]
    faces: list[Face]
    decode_ms: float
    detect_ms: float


def every_frame(images: Iterable[BagImage], pipeline: Pipeline) -> Iterator[FrameResult]:
    """Processes each image, in the order of recording; the same images give the same outcomes.

    While one image's faces are classified, detectors look at the next ones, in other threads; tracking and
    classification keep the order.

    Args:
        images: of one stream.
        pipeline: fresh, so that tracks begin at 1.
    """
    with ThreadPoolExecutor(_LOOKERS, "look") as lookers, ThreadPoolExecutor(1, "find") as finder:
        ahead: deque[Future[_Found | FrameResult]] = deque()
        for bag_image in images:
            looked = lookers.submit(_look, bag_image, pipeline)
            ahead.append(finder.submit(_find_looked, looked, pipeline))
            if len(ahead) > _AHEAD:
                yield _finish(ahead.popleft().result(), pipeline)
        while ahead:
            yield _finish(ahead.popleft().result(), pipeline)


def _look(bag_image: BagImage, pipeline: Pipeline) -> _Looked | FrameResult:
    """Decodes an image and lets the detector look; returns what became of it where that fails."""
    begun_s = time.monotonic()
    try:
        image = bag_image.to_bgr()
    except ImageError as e:
        return _outcome(bag_image, UNDECODABLE, problem=str(e))
    decoded_s = time.monotonic()
    try:
        seen = pipeline.look(image)
    except Exception as e:  # noqa: BLE001 - whatever one image does to a network, the next one is processed
        return _outcome(bag_image, FAILED, problem=one_line(e), image=image)
    return _Looked(bag_image, image, seen, (decoded_s - begun_s) * 1e3, (time.monotonic() - decoded_s) * 1e3)


def _find(looked: _Looked | FrameResult, pipeline: Pipeline) -> _Found | FrameResult:
    """Finds the faces of an image; returns what became of it where that fails."""
    if isinstance(looked, FrameResult):
        return looked
    bag_image, begun_s = looked.bag_image, time.monotonic()
    try:
        faces = pipeline.find(looked.image, bag_image.stamp_s, seen=looked.seen)
    except Exception as e:  # noqa: BLE001 - see _look
        return _outcome(bag_image, FAILED, problem=one_line(e), image=looked.image)
    detect_ms = looked.look_ms + (time.monotonic() - begun_s) * 1e3
    return _Found(bag_image, looked.image, faces, looked.decode_ms, detect_ms)


def _find_looked(looked: Future[_Looked | FrameResult], pipeline: Pipeline) -> _Found | FrameResult:
    return _find(looked.result(), pipeline)


def _finish(found: _Found | FrameResult, pipeline: Pipeline) -> FrameResult:
    if isinstance(found, FrameResult):
        return found
    outcome = _recognize(found, found.faces, pipeline)
    if outcome.classify_ms is None:
        return outcome
    return replace(outcome, latency_ms=found.decode_ms + found.detect_ms + outcome.classify_ms)


def _recognize(found: _Found, faces: Sequence[Face], pipeline: Pipeline) -> FrameResult:
    """Classifies faces of an image; the outcome has no latency yet."""
    begun_s = time.monotonic()
    try:
        emotions = pipeline.recognize(found.image, faces, found.bag_image.stamp_s)
    except Exception as e:  # noqa: BLE001 - see _look
        return _outcome(found.bag_image, FAILED, problem=one_line(e), image=found.image)
    return _outcome(
        found.bag_image,
        PROCESSED,
        emotions=emotions,
        image=found.image,
        detect_ms=found.detect_ms,
        classify_ms=(time.monotonic() - begun_s) * 1e3,
    )


@dataclass(frozen=True, eq=False)
class _Due:
    """An image on its way through the two workers.

    Attributes:
        image: the message.
        due_s: when it was due, on the steady clock.
    """

    bag_image: BagImage
    due_s: float


@dataclass(frozen=True, eq=False)
class _Waiting:
    """An image whose faces are found, on its way to the classifier.

    Attributes:
        due: the image and when it was due.
        found: its faces.
        age_ms: how old it was when the detector began.
    """

    due: _Due
    found: _Found
    age_ms: float


class RealtimePlayer:
    """Feeds images at the pace of their recording to two workers, as the two nodes are, each taking the newest.

    A frame that is overtaken before the detector is free is dropped, one that waits for the classifier is skipped. What
    a robot has besides, the transport of messages between processes, is not part of it.

    Args:
        pipeline: fresh.
        max_load: as of the classifier node's parameter.
    """

    def __init__(self, pipeline: Pipeline, max_load: float) -> None:
        self._pipeline, self._time_share = pipeline, max_load
        self._outcomes: queue.SimpleQueue[FrameResult | Exception] = queue.SimpleQueue()
        self._budget = LoadShedder()

    def play(self, images: Iterable[BagImage]) -> Iterator[FrameResult]:
        """Yields what becomes of each image, in the order in which that is known."""
        detector = LatestFrameWorker(self._find, self._hand_over, self._broken, on_drop=self._dropped)
        self._classifier = LatestFrameWorker(self._recognize, self._done, self._broken, on_drop=self._skipped)
        try:
            begun_s, first_ns = time.monotonic(), None
            for bag_image in images:
                first_ns = bag_image.received_ns if first_ns is None else first_ns
                due_s = begun_s + (bag_image.received_ns - first_ns) / NS
                yield from self._until(due_s)
                detector.put(_Due(bag_image, due_s))
        finally:
            detector.stop(_STOP_S)
            self._classifier.stop(_STOP_S)
        yield from self._until(0.0)

    def _until(self, due_s: float) -> Iterator[FrameResult]:
        """Yields outcomes until a moment of the steady clock; all that are there already, in any case."""
        while True:
            try:
                wait_s = due_s - time.monotonic()
                outcome = self._outcomes.get(timeout=wait_s) if wait_s > 0 else self._outcomes.get_nowait()
            except queue.Empty:
                if due_s <= time.monotonic():
                    return
                continue
            if isinstance(outcome, Exception):
                raise outcome
            yield outcome

    def _find(self, due: _Due) -> _Waiting | None:
        age_ms = (time.monotonic() - due.due_s) * 1e3
        found = _find(_look(due.bag_image, self._pipeline), self._pipeline)
        if isinstance(found, FrameResult):
            self._outcomes.put(found)
            return None
        return _Waiting(due, found, age_ms)

    def _hand_over(self, waiting: _Waiting | None, counts: FrameCounts) -> None:
        if waiting is not None:
            self._classifier.put(waiting)

    def _recognize(self, waiting: _Waiting) -> FrameResult:
        found, begun_s = waiting.found, time.monotonic()
        faces = self._budget.choose(found.faces, begun_s, share=self._time_share)
        outcome = _recognize(found, faces, self._pipeline)
        done_s = time.monotonic()
        self._budget.measured(len(faces), done_s - begun_s)
        if outcome.outcome != PROCESSED:
            return outcome
        return replace(outcome, latency_ms=(done_s - waiting.due.due_s) * 1e3, age_ms=waiting.age_ms)

    def _done(self, outcome: FrameResult, counts: FrameCounts) -> None:
        self._outcomes.put(outcome)

    def _broken(self, error: Exception, counts: FrameCounts) -> None:
        """Passes on what only a mistake in this class can raise."""
        self._outcomes.put(error)

    def _dropped(self, due: _Due) -> None:
        self._outcomes.put(_outcome(due.bag_image, DROPPED))

    def _skipped(self, waiting: _Waiting) -> None:
        self._outcomes.put(_outcome(waiting.due.bag_image, SKIPPED, image=waiting.found.image))


def _outcome(
    bag_image: BagImage,
    outcome: str,
    *,
    problem: str = "",
    emotions: Iterable[FaceEmotion] = (),
    image: NDArray[np.uint8] | None = None,
    **times: float,
) -> FrameResult:
    return FrameResult(
        number=bag_image.number,
        stamp_ns=bag_image.stamp_ns,
        received_ns=bag_image.received_ns,
        outcome=outcome,
        problem=problem,
        emotions=tuple(emotions),
        image_bgr=image,
        size=None if image is None else (image.shape[1], image.shape[0]),
        raw=bag_image.raw,
        **times,
    )
