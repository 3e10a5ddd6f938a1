# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes a label file from predictions, for a person to correct, and a page with the faces of each interval."""

import csv
import logging
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion_perception.bags.inference.frame_result import FAILED, PROCESSED, UNDECODABLE, FrameResult
from emotion_perception.bags.inference.runner import process_every_frame
from emotion_perception.bags.inference.settings import PipelineMaker, Settings
from emotion_perception.bags.io.images import image_topic, read_bag_images
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.io.recording import Recording
from emotion_perception.bags.scoring.crops import as_url, face_crop
from emotion_perception.bags.scoring.labels import INTERVALS, OPTIONAL
from emotion_perception.core.atomic_files import atomic_file, write_atomically
from emotion_perception.core.errors import RecordingError
from emotion_perception.core.pipeline import Pipeline
from emotion_perception.core.printable import printable
from emotion_perception.core.types import Box, FaceEmotion
from emotion_perception.reporting.pages import render_template
from emotion_perception.reporting.progress import progress_bar

_LOG = logging.getLogger(__name__)
_TEMPLATES = Path(__file__).parent / "report" / "templates"
_MAX_CROPS = 6  # per interval
_SIDE = 96  # pixels of a crop
_MAX_GAP_NS = 1 * NS  # between consecutive frames of a face in an interval
_DEFAULT_STEP_NS = NS // 30


@dataclass
class Interval:
    """A time in which the label of a face does not change.

    Attributes:
        track_id: track of the face.
        label: published label; empty if it is uncertain.
        predicted_label: published label, also if it is uncertain.
        start_ns: stamp of the first frame.
        last_ns: stamp of the last frame.
        box: smallest box around the face's boxes, in pixels.
        next_ns: stamp of the first frame of the face's next interval; None if there is none.
        crops: uint8 (96, 96, 3) BGR, evenly spaced over the interval.
    """

    track_id: int
    label: str
    predicted_label: str
    start_ns: int
    last_ns: int
    box: Box
    next_ns: int | None = None
    crops: list[NDArray[np.uint8]] = field(default_factory=list)
    _frames: int = 0
    _crop_interval: int = 1

    def add(self, result: FrameResult, emotion: FaceEmotion, mode: str) -> None:
        """Extends the interval by a frame; keeps its crop if it is due, so that crops are evenly spaced."""
        self.last_ns = result.stamp_ns
        self.box = _union(self.box, emotion.face.box)
        if self._frames % self._crop_interval == 0:
            crop = face_crop(result, emotion, side=_SIDE, mode=mode)
            self.crops += [] if crop is None else [crop]
        self._frames += 1
        if len(self.crops) > _MAX_CROPS:
            self.crops, self._crop_interval = self.crops[::2], self._crop_interval * 2

    def accepts(self, stamp_ns: int, label: str) -> bool:
        """Returns whether a frame of the same face continues the interval."""
        return label == self.label and 0 <= stamp_ns - self.last_ns <= _MAX_GAP_NS


@dataclass
class _Frames:
    """Counts the frames of a recording while they are read.

    Attributes:
        statuses: number of frames of each status.
        reason: why the first one that was not processed was not; empty if all were.
        odd_stamps: number of stamps that are zero, or not above the one before.
    """

    statuses: "Counter[str]" = field(default_factory=Counter)
    reason: str = ""
    odd_stamps: int = 0

    def counted(self, results: Iterable[FrameResult]) -> Iterator[FrameResult]:
        """Yields the results, which are counted."""
        last_ns: int | None = None
        for result in results:
            self.statuses[result.status] += 1
            self.reason = self.reason or result.problem or ""
            if result.status != UNDECODABLE:  # a damaged image has the stamp of another
                self.odd_stamps += result.stamp_ns == 0 or (last_ns is not None and result.stamp_ns <= last_ns)
                last_ns = result.stamp_ns
            yield result


def label_bag(
    path: Path,
    out: Path,
    settings: Settings,
    *,
    by_track: bool = False,
    min_duration_s: float = 0.2,
    progress: bool = True,
    make_pipeline: PipelineMaker = Pipeline,
) -> list[Interval]:
    """Writes a label file in the interval format, and a page with the faces of each interval.

    Args:
        path: the recording.
        out: CSV file to write; the page has the same name with suffix .html.
        settings: pipeline options, topic and anonymization.
        by_track: identify faces by track id, which is valid for the same detector options only, instead of by region.
        min_duration_s: leave out shorter intervals, in seconds.
        progress: show a progress bar.
        make_pipeline: creates the pipeline from the settings' options.

    Returns:
        The intervals, in the order of the file.

    Raises:
        RecordingError: the recording cannot be read, has no image that can be processed, or no face in it is long
            enough.
    """
    frames = _Frames()
    with Recording(path) as recording:
        topic = image_topic(recording, settings.topic)
        pipeline = make_pipeline(settings.pipeline)
        with progress_bar(topic.count, path.name, shown=progress, unit="frames") as bar:
            results = process_every_frame(read_bag_images(recording, topic), pipeline)
            intervals, first_ns, step_ns = _collect(frames.counted(results), settings.anonymize, bar)
    count = frames.statuses.total()
    if not frames.statuses[PROCESSED]:
        reason = frames.reason or "; ".join(recording.problems)
        raise RecordingError(f"{path}: none of its {count} images can be processed{reason and f' ({reason})'}")
    counts = {f"images are {status}": frames.statuses[status] for status in (UNDECODABLE, FAILED)}
    counts["stamps are zero, or not above the one before"] = frames.odd_stamps
    for problem in [*recording.problems, *(f"{n} of {count} {what}" for what, n in counts.items() if n)]:
        _LOG.warning("%s: %s", path, problem)
    kept = [entry for entry in intervals if entry.last_ns + step_ns - entry.start_ns >= min_duration_s * NS]
    if not kept:
        raise RecordingError(f"{path}: no face keeps a label for {min_duration_s:g} s, so there is nothing to label")
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = [_row(entry, first_ns, step_ns, by_track=by_track) for entry in kept]
    page_rows = [
        {**row, "predicted_label": entry.predicted_label, "crops": list(map(as_url, entry.crops))}
        for row, entry in zip(rows, kept, strict=True)
    ]
    page = render_template(
        _TEMPLATES, "labels.html.j2", name=printable(path.resolve().name), file=printable(out.name), rows=page_rows
    )
    write_atomically(out.with_suffix(".html"), page)  # first the large one: without it there are no labels either
    _write(out, rows)
    return kept


def _collect(results: Iterable[FrameResult], mode: str, bar: "tqdm[Any]") -> tuple[list[Interval], int, int]:
    """Returns the intervals by start, the first stamp, and the median time between frames, both in nanoseconds."""
    intervals: list[Interval] = []
    current: dict[int, Interval] = {}  # by track id
    stamps: list[int] = []
    for result in results:
        bar.update()
        stamps.append(result.stamp_ns)
        for emotion in result.emotions:
            label, track_id = "" if emotion.uncertain else emotion.label, emotion.face.track_id
            interval = current.get(track_id)
            if interval is None or not interval.accepts(result.stamp_ns, label):
                stamp = result.stamp_ns
                if interval is not None and stamp > interval.last_ns:
                    interval.next_ns = stamp
                interval = Interval(track_id, label, emotion.label, stamp, stamp, emotion.face.box)
                intervals.append(interval)
                current[track_id] = interval
            interval.add(result, emotion, mode)
    steps = [step for step in np.diff(stamps).tolist() if step > 0]
    return intervals, stamps[0] if stamps else 0, round(statistics.median(steps)) if steps else _DEFAULT_STEP_NS


def _row(interval: Interval, first_ns: int, step_ns: int, *, by_track: bool) -> dict[str, str]:
    box = interval.box
    region = f"{box.x_min} {box.y_min} {box.width} {box.height}"
    end_ns = interval.last_ns + step_ns
    if interval.next_ns is not None:
        end_ns = min(end_ns, interval.next_ns)
    return {
        "start_s": _seconds(interval.start_ns - first_ns),
        "end_s": _seconds(end_ns - first_ns),
        "track_or_region": str(interval.track_id) if by_track else region,
        "label": interval.label,
        "group": "",
        "person": f"face {interval.track_id}",
    }


def _seconds(nanoseconds: int) -> str:
    """Returns a time rounded down to a millisecond, so that a frame is within the interval that begins with it."""
    return f"{nanoseconds // (NS // 1000) / 1000:.3f}"


def _write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    with atomic_file(path) as file:
        writer = csv.DictWriter(file, (*INTERVALS, *OPTIONAL), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _union(a: Box, b: Box) -> Box:
    return Box(min(a.x_min, b.x_min), min(a.y_min, b.y_min), max(a.x_max, b.x_max), max(a.y_max, b.y_max))
