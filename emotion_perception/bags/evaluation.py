# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluates one recording: plays or reads it, scores it against labels, writes tables and report."""

import contextlib
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from emotion_perception.bags.inference.frame_result import FrameResult
from emotion_perception.bags.inference.prediction_source import PredictionSource, open_source
from emotion_perception.bags.inference.settings import PipelineMaker, Settings, parameters_of
from emotion_perception.bags.io.bag_rewriter import ResultWriter
from emotion_perception.bags.io.recording import Recording
from emotion_perception.bags.report.report import JSON, write_report
from emotion_perception.bags.scoring import metrics
from emotion_perception.bags.scoring.labels import LabelRow, Labels, read_labels
from emotion_perception.bags.scoring.misclassified import MisclassifiedFaces
from emotion_perception.bags.scoring.tables import (
    FaceTable,
    FrameTable,
    RegionTable,
    TableWriter,
    read_faces,
    read_frames,
    read_regions,
)
from emotion_perception.core.assets import file_sha256
from emotion_perception.core.classification.model_bundle import load_model_bundle
from emotion_perception.core.errors import DatasetError, RecordingError
from emotion_perception.core.pipeline import Pipeline
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.reporting.provenance import command_line, now, package_version, peak_memory_mib

BAG = "bag"  # folder that --write-bag makes


def evaluate_bag(
    path: Path,
    out: Path,
    settings: Settings,
    *,
    labels: Path | None = None,
    progress: bool = True,
    make_pipeline: PipelineMaker = Pipeline,
) -> dict[str, Any]:
    """Writes report.json, report.html, the plots and three tables into `out`, and the results' recording if asked.

    Args:
        path: the recording.
        out: folder, made if absent.
        settings: how.
        labels: what people say, see `labels`.
        progress: show a bar.
        make_pipeline: what makes the pipeline of the settings.

    Returns:
        The content of report.json. With `every_frame` and `recorded` the same input gives the same content but for
        the block `timing`.

    Raises:
        RecordingError: it cannot be read, or holds no image.
        DatasetError: the labels are not as described, or are about none of the frames.
        ConfigurationError, ModelFileError, ModelBundleError: as of `Pipeline`.
    """
    begun = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    (out / JSON).unlink(missing_ok=True)  # it is written last: where it is, the evaluation is whole
    with Recording(path) as recording:
        run = _Run(recording, settings, open_source(recording, settings, make_pipeline), labels)
        mistakes = MisclassifiedFaces(mode=settings.anonymize)
        run.work(out, mistakes, progress=progress)
        seconds = time.perf_counter() - begun
        frames, faces = read_frames([out]), read_faces([out], run.labels)
        report = run.report(frames, faces, read_regions([out]))
        report["timing"] |= {
            "command": command_line(),
            "date": now(),
            "seconds": round(seconds, 3),
            "times_real_time": round(report["duration_s"] / seconds, 3),
            "peak_memory_mib": peak_memory_mib(),
        }
    write_report(report, out, frames, faces, mistakes.worst)
    return report


def same_evaluation(report: Mapping[str, Any], path: Path, settings: Settings, labels: Path | None) -> bool:
    """Returns whether a report.json is what `evaluate_bag` would write anew, but for the timing.

    Raises:
        RecordingError, ModelFileError, ModelBundleError: the recording or the model cannot be opened.
    """
    wanted = {
        "mode": settings.mode,
        "parameters": None if settings.mode == "recorded" else parameters_of(settings),
        "anonymize": settings.anonymize,
        "package_version": package_version(),
    }
    if any(report.get(name) != value for name, value in wanted.items()):
        return False
    if settings.topic is not None and str(report.get("topic")).lstrip("/") != settings.topic.lstrip("/"):
        return False
    of_labels = (report.get("label_file") or {}).get("sha256")
    if of_labels != (None if labels is None else file_sha256(labels)):
        return False
    if (
        settings.mode != "recorded"
        and report["model_sha256"] != load_model_bundle(settings.pipeline.classifier.model).sha256
    ):
        return False
    with Recording(path) as recording:
        return bool(report["bag_sha256"] == recording.sha256())


class _Run:
    """One evaluation while it runs."""

    def __init__(self, recording: Recording, settings: Settings, source: PredictionSource, labels: Path | None) -> None:
        self._recording, self._settings, self._source = recording, settings, source
        self._labels = None if labels is None else read_labels(labels, source.identity.labels)
        self._used: set[int] = set()  # lines of labels that were about a frame
        self._first_ns: int | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each probability."""
        return self._source.identity.labels

    def work(self, out: Path, mistakes: MisclassifiedFaces, *, progress: bool) -> None:
        """Plays the recording and writes the tables."""
        topic = self._source.topic
        with (
            TableWriter(out, self.labels) as tables,
            self._result_writer(out) as results,
            progress_bar(topic.count if topic else 0, self._recording.path.name, shown=progress, unit="frames") as bar,
        ):
            for outcome in self._source.outcomes():
                self._first_ns = outcome.stamp_ns if self._first_ns is None else self._first_ns
                rows, matched = self._judge(outcome)
                tables.write(outcome, rows, matched)
                mistakes.look(outcome, matched, self._first_ns)
                if results is not None:
                    results.write(outcome)
                bar.update()
        if self._first_ns is None:
            raise RecordingError(f"{self._recording.path}: no image can be read")
        if self._labels is not None and not self._used:
            raise self._strange_labels(self._labels)

    def report(self, frames: FrameTable, faces: FaceTable, regions: RegionTable) -> dict[str, Any]:
        """Computes the content of report.json from the tables."""
        settings, identity, topic = self._settings, self._source.identity, self._source.topic
        return {
            "bag": self._recording.path.resolve().name,
            "bag_sha256": self._recording.sha256(),
            "topic": topic.name if topic else None,
            "mode": settings.mode,
            "first_stamp_ns": self._first_ns,
            "duration_s": metrics.duration_s(frames),
            "problems": self._problems(),
            "label_file": self._describe_labels(),
            **metrics.all_of(frames, faces, regions, settings.pipeline.recognizer.min_confidence),
            "model": identity.model,
            "model_sha256": identity.model_sha256,
            "device": identity.device,
            "parameters": None if settings.mode == "recorded" else parameters_of(settings),
            "anonymize": settings.anonymize,
            "labels": list(self.labels),
            "package_version": package_version(),
            "timing": {"latency_is": metrics.LATENCY[settings.mode], **metrics.timing(frames)},
        }

    def _judge(self, outcome: FrameResult) -> tuple[list[LabelRow], Mapping[int, LabelRow]]:
        if self._labels is None or self._first_ns is None:
            return [], {}
        rows = self._labels.at(outcome.stamp_ns, self._first_ns)
        self._used |= {row.line for row in rows}
        return rows, self._labels.match(rows, [emotion.face for emotion in outcome.emotions])

    def _result_writer(self, out: Path) -> AbstractContextManager[ResultWriter | None]:
        if not self._settings.write_bag or self._source.topic is None:
            return contextlib.nullcontext()
        return ResultWriter(
            out / BAG,
            self._recording,
            self._source.topic,
            self._source.identity,
            detector=self._settings.pipeline.detector.detector,
            anonymize=self._settings.anonymize,
        )

    def _problems(self) -> list[str]:
        problems = [*self._recording.problems, *self._source.problems()]
        if self._labels is not None and (unused := len(self._labels.rows) - len(self._used)):
            problems.append(f"{unused} of {len(self._labels.rows)} rows of labels are about no frame")
        return problems

    def _describe_labels(self) -> dict[str, Any] | None:
        if self._labels is None:
            return None
        form = "frames" if self._labels.of_frames else "intervals"
        return {
            "file": self._labels.name,
            "sha256": self._labels.sha256,
            "form": form,
            "rows": len(self._labels.rows),
            "rows_used": len(self._used),
        }

    def _strange_labels(self, labels: Labels) -> DatasetError:
        row = labels.rows[0]
        first = f"line {row.line} begins at {row.start_ns} ns, the first image is of {self._first_ns} ns"
        return DatasetError(f"{labels.name}: none of its {len(labels.rows)} rows is about a frame ({first})")
