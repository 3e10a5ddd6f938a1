# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The whole run from an input to its outputs, in a thread of its own."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.annotate.inputs import Input, InputImage, Kind, input_path
from emotion_perception.annotate.outputs import Form, ImageFiles, ImageOutput, VideoOutput, check_form
from emotion_perception.annotate.recognition import PROCESSED, ImageResult, recognize
from emotion_perception.annotate.tables import CsvTable, JsonDocument
from emotion_perception.core.errors import SourceError
from emotion_perception.core.pipeline import Pipeline, PipelineOptions, node_parameters
from emotion_perception.core.rendering import FaceAnonymizer, OverlayOptions, draw_overlay
from emotion_perception.core.types import ModelInfo
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.reporting.provenance import command_line, now, package_version

Shower = Callable[[NDArray[np.uint8]], None]
_DEFAULT_HZ = 30.0  # of a folder as a video


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is annotated, and how.

    Attributes:
        source: the argument IN, see `Input`.
        pipeline: options of the stages.
        anonymize: how faces are hidden in images, one of `core.rendering.ANONYMIZERS`.
        draw_bars: draw a bar for each emotion.
        rate_hz: makes a folder one sequence at this rate; 0 leaves its images unrelated.
        codec: of a video.
        sound: keep the sound of a video.
        form: what is written to `out`.
        out: image, folder or video to write.
        csv: table to write.
        json: document to write.
    """

    source: str
    pipeline: PipelineOptions
    anonymize: str = "none"
    draw_bars: bool = True
    rate_hz: float = 0.0
    codec: str = "vp9"
    sound: bool = True
    form: Form | None = None
    out: Path | None = None
    csv: Path | None = None
    json: Path | None = None

    @property
    def outputs(self) -> list[Path]:
        """The files and folders to write."""
        return [path for path in (self.out, self.csv, self.json) if path is not None]


@dataclass
class Summary:
    """Counts of the images and faces of a run, and how it ended.

    Attributes:
        name: of the input.
        kind: of the input; None until it is open.
        expected: number of images to expect, 0 if unknown.
        processed: number of images whose emotions are known.
        failed: number of images on which the detector or the model failed.
        skipped: number of image files that could not be read.
        faces: number of tracks; of unrelated images number of faces.
        outputs_rejected: number of crops of faces for which the model's outputs were not finite.
        seconds: from the first image to the last.
        problem: the first reason why an image failed.
        source_problem: why a live source ended before it was stopped.
        has_sound: whether the video has a sound track.
        complete: whether the input ended, or a live source was stopped after its first image: then the files are whole.
    """

    name: str = ""
    kind: Kind | None = None
    expected: int = 0
    processed: int = 0
    failed: int = 0
    skipped: int = 0
    faces: int = 0
    outputs_rejected: int = 0
    seconds: float = 0.0
    problem: str = ""
    source_problem: str = ""
    has_sound: bool = False
    complete: bool = False
    _tracks: set[int] = field(default_factory=set)

    def add(self, result: ImageResult) -> None:
        """Counts an image and its faces."""
        self.processed += result.status == PROCESSED
        self.failed += result.status != PROCESSED
        self.problem = self.problem or result.problem
        for face in result.faces:
            self.faces += not face.track_id or face.track_id not in self._tracks
            self._tracks.add(face.track_id)


class _StoppedError(Exception):
    """Ends the outputs of a job that was stopped."""


class Job:
    """Annotates an input.

    Args:
        settings: what is annotated.
        parts: for each file or folder to write an existing one that is written instead; the caller replaces the first
            by the second once all are complete.
        show: takes each annotated image as it comes; None where nobody looks.

    Attributes:
        stop: whether the job ends before the next image, see `end`.
        summary: counts of the images so far.
    """

    def __init__(self, settings: Settings, parts: Mapping[Path, Path], *, show: Shower | None = None) -> None:
        self._settings, self._parts, self._show = settings, parts, show
        self.stop = threading.Event()
        self.summary = Summary()
        self._source: Input | None = None

    def end(self) -> None:
        """Ends the job; files of an input that is not live are incomplete then."""
        self.stop.set()
        if (source := self._source) is not None:
            source.interrupt()

    def run(self) -> None:
        """Annotates until the input ends or `end` is called.

        Raises:
            EmotionPerceptionError: the input cannot be read or gives no such output, or no image can be processed.
            OSError: a file cannot be written.
        """
        settings, summary = self._settings, self.summary
        with Input(settings.source, rate_hz=self._rate_hz(), stop=self.stop) as source:
            self._source = source
            summary.name, summary.kind, summary.expected = source.name, source.kind, source.frame_count
            if settings.form is not None and settings.out is not None:
                check_form(settings.out, settings.form, source.kind, source.frame_count)
            pipeline = Pipeline(settings.pipeline)
            classifier = pipeline.recognizer.classifier
            classifier.warm_up(require_gpu=settings.pipeline.classifier.require_gpu)
            with contextlib.suppress(_StoppedError):
                self._annotate(source, pipeline, classifier.info)
            summary.skipped = source.skipped
            summary.source_problem = source.problem
        if not summary.processed and not self.stop.is_set():
            problem = summary.source_problem or summary.problem or "there is none"
            raise SourceError(f"{source.name}: no image can be processed ({problem})")

    def _rate_hz(self) -> float:
        """Returns the rate of a folder's sequence; 0 for unrelated images and all other inputs."""
        path = input_path(self._settings.source)
        if path is None or not path.is_dir():
            return 0.0
        default_hz = _DEFAULT_HZ if self._settings.form is Form.VIDEO else 0.0
        return self._settings.rate_hz or default_hz

    def _annotate(self, source: Input, pipeline: Pipeline, model: ModelInfo) -> None:
        settings, summary = self._settings, self.summary
        with ExitStack() as stack:
            images = self._open_images(source, stack)
            table = document = None
            if settings.csv is not None:
                table = stack.enter_context(CsvTable(self._parts[settings.csv], model.labels))
            if settings.json is not None:
                head = self._head(source, model)
                document = stack.enter_context(JsonDocument(self._parts[settings.json], head, model.labels))
            bar = stack.enter_context(progress_bar(source.frame_count or None, source.name, shown=True, unit="frames"))
            draw = _Drawing(settings, source.kind, model.labels)
            begun_s = time.monotonic()
            for result in recognize(self._until_stopped(source), source.kind, pipeline):
                summary.add(result)
                summary.outputs_rejected = pipeline.recognizer.outputs_rejected
                for output in (table, document):
                    if output is not None:
                        output.write(result)
                if images is not None or self._show is not None:
                    drawn = draw(result)
                    if images is not None:
                        images.write(drawn, result.source)
                    self._show_when_due(drawn, result.source, source.kind, begun_s)
                bar.update()
                summary.seconds = time.monotonic() - begun_s
            if self.stop.is_set() and (source.kind is not Kind.LIVE or not summary.processed):
                raise _StoppedError
            if document is not None:
                document.finish(self._tail())
        summary.has_sound = isinstance(images, VideoOutput) and images.has_sound
        summary.complete = summary.processed > 0

    def _open_images(self, source: Input, stack: ExitStack) -> ImageOutput | None:
        settings = self._settings
        if settings.out is None or settings.form is None:
            return None
        if settings.form is not Form.VIDEO:
            return ImageFiles(self._parts[settings.out], settings.form)
        sound_of = input_path(settings.source) if settings.sound and source.kind is Kind.VIDEO else None
        return stack.enter_context(VideoOutput(self._parts[settings.out], codec=settings.codec, sound_of=sound_of))

    def _until_stopped(self, source: Input) -> Iterator[InputImage]:
        for image in source.images():
            if self.stop.is_set():
                return
            yield image

    def _show_when_due(self, drawn: NDArray[np.uint8], image: InputImage, kind: Kind, begun_s: float) -> None:
        """Shows an image; a video that is not written at its own pace, if this machine keeps up."""
        if self._show is None:
            return
        if kind in (Kind.VIDEO, Kind.SEQUENCE) and not self._settings.outputs:
            self.stop.wait(max(0.0, begun_s + image.stamp_ns * 1e-9 - time.monotonic()))
        self._show(drawn)

    def _head(self, source: Input, model: ModelInfo) -> dict[str, Any]:
        settings = self._settings
        return {
            "input": source.name,
            "kind": source.kind.value,
            "model": model.model,
            "model_sha256": model.model_sha256,
            "device": model.device,
            "parameters": node_parameters(settings.pipeline),
            "anonymize": settings.anonymize,
            "labels": list(model.labels),
            "package_version": package_version(),
        }

    def _tail(self) -> dict[str, Any]:
        summary = self.summary
        timing = {"command": command_line(), "date": now(), "seconds": round(summary.seconds, 3)}
        counts = {"processed": summary.processed, "failed": summary.failed, "faces": summary.faces}
        return {"counts": counts, "timing": timing}


class _Drawing:
    """Draws results on their images, of which faces are hidden before."""

    def __init__(self, settings: Settings, kind: Kind, labels: tuple[str, ...]) -> None:
        self._mode, self._kind, self._labels = settings.anonymize, kind, labels
        self._options = OverlayOptions(draw_bars=settings.draw_bars)
        self._anonymizer = FaceAnonymizer()

    def __call__(self, result: ImageResult) -> NDArray[np.uint8]:
        if self._kind is Kind.IMAGES:  # where a face was in another image says nothing about this one
            self._anonymizer = FaceAnonymizer()
        faces = result.faces if result.status == PROCESSED else None
        stamp_s = result.source.stamp_ns * 1e-9
        hidden = self._anonymizer.hide(result.source.image_bgr, faces, stamp_s, self._mode)
        return draw_overlay(hidden, result.emotions, self._labels, self._options)
