# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Starts a file of labels for a person to correct: what the model says, as intervals, with images beside it."""

import csv
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion_perception.bags.inference.frame_result import FrameResult
from emotion_perception.bags.inference.runner import every_frame
from emotion_perception.bags.inference.settings import PipelineMaker, Settings
from emotion_perception.bags.io.images import image_topic, read_bag_images
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.io.recording import Recording
from emotion_perception.bags.report.crops import as_url, face_crop
from emotion_perception.bags.scoring.labels import INTERVALS, OPTIONAL
from emotion_perception.core.errors import RecordingError
from emotion_perception.core.pipeline import Pipeline
from emotion_perception.core.types import Box, FaceEmotion
from emotion_perception.reporting.pages import render_template
from emotion_perception.reporting.progress import progress_bar

_TEMPLATES = Path(__file__).parent / "report" / "templates"
_MOST_CROPS = 6  # of an interval that are shown
_SIDE = 96  # pixels of a shown face
_LONGEST_PAUSE_NS = 1 * NS  # of a face within an interval
_USUAL_STEP_NS = NS // 30


@dataclass
class Interval:
    """A time during which a face shows one label.

    Attributes:
        track: number of the face.
        label: what is shown; empty where the model is uncertain.
        guess: what it would be.
        start_ns: stamp of the first frame.
        last_ns: stamp of the last frame.
        box: holds all its regions, in pixels.
        crops: uint8 (96, 96, 3) BGR, from its whole length.
    """

    track: int
    label: str
    guess: str
    start_ns: int
    last_ns: int
    box: Box
    crops: list[NDArray[np.uint8]] = field(default_factory=list)
    _frames: int = 0
    _every: int = 1

    def add(self, outcome: FrameResult, emotion: FaceEmotion, mode: str) -> None:
        """Takes a frame in; keeps its image now and then, so that the kept ones are spread evenly."""
        self.last_ns = outcome.stamp_ns
        self.box = _around(self.box, emotion.face.box)
        if self._frames % self._every == 0 and (crop := face_crop(outcome, emotion, side=_SIDE, mode=mode)) is not None:
            self.crops.append(crop)
        self._frames += 1
        if len(self.crops) > _MOST_CROPS:
            self.crops, self._every = self.crops[::2], self._every * 2

    def follows(self, stamp_ns: int, label: str) -> bool:
        """Returns whether a frame of the same face still belongs to it."""
        return label == self.label and 0 <= stamp_ns - self.last_ns <= _LONGEST_PAUSE_NS


def label_bag(
    path: Path,
    out: Path,
    settings: Settings,
    *,
    by_track: bool = False,
    shortest_s: float = 0.2,
    progress: bool = True,
    make_pipeline: PipelineMaker = Pipeline,
) -> list[Interval]:
    """Writes a CSV of intervals that `evaluate-bag --labels` reads, and beside it a page that shows them.

    Args:
        path: the recording.
        out: the CSV; the page lies beside it, named .html.
        settings: how answers are made.
        by_track: name faces by their track's number, which holds for the same detector only, not by region.
        shortest_s: shorter intervals are left out, in seconds.
        progress: show a bar.
        make_pipeline: what makes the pipeline of the settings.

    Returns:
        The intervals, in the order of the file.

    Raises:
        RecordingError: it cannot be read, holds no image, or no face was found in it.
    """
    with Recording(path) as recording:
        topic = image_topic(recording, settings.topic)
        pipeline = make_pipeline(settings.pipeline)
        with progress_bar(topic.count, path.name, shown=progress, unit="frames") as bar:
            played = every_frame(read_bag_images(recording, topic), pipeline)
            intervals, first_ns, step_ns = _collect(played, settings.anonymize, bar)
    kept = [entry for entry in intervals if entry.last_ns + step_ns - entry.start_ns >= shortest_s * NS]
    if not kept:
        raise RecordingError(f"{path}: shows no face for {shortest_s:g} s, so there is nothing to label")
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = [_row(entry, first_ns, step_ns, by_track=by_track) for entry in kept]
    _write(out, rows)
    shown = [
        {**row, "guess": entry.guess, "crops": list(map(as_url, entry.crops))}
        for row, entry in zip(rows, kept, strict=True)
    ]
    page = render_template(_TEMPLATES, "labels.html.j2", name=path.resolve().name, file=out.name, rows=shown)
    out.with_suffix(".html").write_text(page, encoding="utf-8")
    return kept


def _collect(outcomes: Iterable[FrameResult], mode: str, bar: "tqdm[Any]") -> tuple[list[Interval], int, int]:
    """Returns the intervals in the order of their beginnings, the first stamp, and the usual step between frames."""
    intervals: list[Interval] = []
    open_ones: dict[int, Interval] = {}
    stamps: list[int] = []
    for outcome in outcomes:
        bar.update()
        stamps.append(outcome.stamp_ns)
        for emotion in outcome.emotions:
            label, track = "" if emotion.uncertain else emotion.label, emotion.face.track_id
            interval = open_ones.get(track)
            if interval is None or not interval.follows(outcome.stamp_ns, label):
                stamp = outcome.stamp_ns
                interval = Interval(track, label, emotion.label, stamp, stamp, emotion.face.box)
                intervals.append(interval)
                open_ones[track] = interval
            interval.add(outcome, emotion, mode)
    steps = [step for step in np.diff(stamps).tolist() if step > 0]
    return intervals, stamps[0] if stamps else 0, round(statistics.median(steps)) if steps else _USUAL_STEP_NS


def _row(interval: Interval, first_ns: int, step_ns: int, *, by_track: bool) -> dict[str, str]:
    box = interval.box
    region = f"{box.x_min} {box.y_min} {box.width} {box.height}"
    return {
        "start_s": f"{(interval.start_ns - first_ns) / NS:.3f}",
        "end_s": f"{(interval.last_ns + step_ns - first_ns) / NS:.3f}",
        "track_or_region": str(interval.track) if by_track else region,
        "label": interval.label,
        "group": "",
        "person": f"face {interval.track}",
    }


def _write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, (*INTERVALS, *OPTIONAL), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _around(a: Box, b: Box) -> Box:
    return Box(min(a.x_min, b.x_min), min(a.y_min, b.y_min), max(a.x_max, b.x_max), max(a.y_max, b.y_max))
