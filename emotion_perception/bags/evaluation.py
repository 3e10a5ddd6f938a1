# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluates one recording: gets predictions, compares them with the labels, writes tables and report."""

import contextlib
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from emotion_perception.bags.inference.frame_result import FrameResult
from emotion_perception.bags.inference.prediction_source import PredictionSource, open_source
from emotion_perception.bags.inference.settings import PipelineMaker, Settings, parameters_of
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.io.recording import Recording
from emotion_perception.bags.report.player import PlayerFrames
from emotion_perception.bags.report.report import JSON, REPORT_FILES, write_report
from emotion_perception.bags.report.result_writer import ResultWriter
from emotion_perception.bags.scoring import metrics
from emotion_perception.bags.scoring.frame_problems import frame_problems
from emotion_perception.bags.scoring.labels import LabelRow, Labels, labels_sha256, read_labels
from emotion_perception.bags.scoring.misclassified import MisclassifiedFaces
from emotion_perception.bags.scoring.tables import (
    TABLES,
    FaceTable,
    FrameTable,
    RegionTable,
    TableWriter,
    read_faces,
    read_frames,
    read_regions,
)
from emotion_perception.core.assets import file_sha256
from emotion_perception.core.classification import load_model_bundle
from emotion_perception.core.errors import DatasetError, ModelFileError, RecordingError
from emotion_perception.core.pipeline import Pipeline
from emotion_perception.core.printable import printable
from emotion_perception.core.regular_files import MAX_TEXT_BYTES, read_regular
from emotion_perception.reporting.output_folder import OutputFolder
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.reporting.provenance import command_line, now, package_version, peak_memory_mib

BAG = "bag"  # folder written by --write-bag
CHECKSUMS = "results.sha256"  # of report.json and the tables, in the format of sha256sum
REPORT_FORMAT = 3  # of report.json and the tables; results of another format are evaluated again


def evaluate_bag(
    path: Path,
    out: Path,
    settings: Settings,
    *,
    labels: Path | None = None,
    progress: bool = True,
    make_pipeline: PipelineMaker = Pipeline,
) -> dict[str, Any]:
    """Evaluates a recording and writes report.json, report.html, plots and tables.

    Args:
        path: the recording.
        out: output folder, created if missing.
        settings: mode, pipeline options and what to write.
        labels: file of true labels, see `scoring.labels`.
        progress: show a progress bar.
        make_pipeline: creates the pipeline from the settings' options.

    Returns:
        The content of report.json. With the modes `every_frame` and `recorded` the same input gives the same content
        except the block `timing`.

    Raises:
        RecordingError: the recording cannot be read, or has no image.
        DatasetError: the labels have another format, or apply to none of the frames.
        ConfigurationError, ModelFileError, ModelBundleError: see `Pipeline` and `OutputFolder`.
    """
    begun = time.perf_counter()
    with evaluation_folder(path, out, settings, labels) as folder, folder.replaced(last=JSON) as part:
        with Recording(path) as recording:
            evaluation = _Evaluation(recording, settings, open_source(recording, settings, make_pipeline), labels)
            misclassified, images = MisclassifiedFaces(mode=settings.anonymize), PlayerFrames(settings.anonymize)
            evaluation.run(part, misclassified, images, progress=progress)
            seconds = time.perf_counter() - begun
            frames, faces = read_frames([part]), read_faces([part], evaluation.labels)
            report = evaluation.report(frames, faces, read_regions([part]))
            report["timing"] |= {
                "command": command_line(),
                "date": now(),
                "seconds": round(seconds, 3),
                "times_real_time": round(report["duration_s"] / seconds, 3),
                "peak_memory_mib": peak_memory_mib(),
            }
        write_report(report, part, frames, faces, misclassified.faces, images.frames)
        (part / CHECKSUMS).write_text(_checksums(part), encoding="ascii")
    return report


def evaluation_folder(path: Path, out: Path, settings: Settings, labels: Path | None) -> OutputFolder:
    """Returns the output folder of the evaluation of a recording; it is checked when it is entered."""
    read = [path, Path(settings.pipeline.classifier.model), *([] if labels is None else [labels])]
    bag = [BAG] if settings.write_bag else []
    return OutputFolder(out, "evaluate-bag", writes=(*REPORT_FILES, *TABLES, CHECKSUMS, *bag), inputs=read)


def has_unchanged_results(out: Path) -> bool:
    """Returns whether report.json and the tables in a folder are what `evaluate_bag` wrote there."""
    try:
        return read_regular(out / CHECKSUMS, MAX_TEXT_BYTES) == _checksums(out).encode()
    except (OSError, ModelFileError):
        return False


def same_evaluation(report: Mapping[str, Any], path: Path, settings: Settings, labels: Path | None) -> bool:
    """Returns whether `evaluate_bag` would write the same report.json again, except the timing.

    Raises:
        RecordingError, ModelFileError, ModelBundleError: the recording or the model cannot be opened.
        OSError: the labels cannot be read.
    """
    expected = {
        "report_format": REPORT_FORMAT,
        "mode": settings.mode,
        "parameters": None if settings.mode == "recorded" else parameters_of(settings),
        "anonymize": settings.anonymize,
        "package_version": package_version(),
    }
    if any(report.get(name) != value for name, value in expected.items()):
        return False
    if settings.topic is not None and str(report.get("topic")).lstrip("/") != settings.topic.lstrip("/"):
        return False
    if (report.get("label_file") or {}).get("sha256") != (None if labels is None else labels_sha256(labels)):
        return False
    if (
        settings.mode != "recorded"
        and report["model_sha256"] != load_model_bundle(settings.pipeline.classifier.model).sha256
    ):
        return False
    with Recording(path) as recording:
        sha256 = recording.sha256()
        same_files = sha256 is not None and report["bag_sha256"] == sha256
        return same_files and {*recording.problems} <= {*report["problems"]}  # of files that are not read, too


def _checksums(folder: Path) -> str:
    return "".join(f"{file_sha256(folder / name)}  {name}\n" for name in (JSON, *TABLES))


class _Evaluation:
    """A running evaluation."""

    def __init__(self, recording: Recording, settings: Settings, source: PredictionSource, labels: Path | None) -> None:
        self._recording, self._settings, self._source = recording, settings, source
        self._labels = None if labels is None else read_labels(labels, source.model.labels)
        self._used: set[int] = set()  # lines of the label file that apply to a frame, or to a track in it
        self._first_ns: int | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each probability."""
        return self._source.model.labels

    def run(self, out: Path, misclassified: MisclassifiedFaces, images: PlayerFrames, *, progress: bool) -> None:
        """Gets the result of each frame, writes the tables, and keeps what the page shows."""
        topic = self._source.topic
        with (
            TableWriter(out, self.labels) as tables,
            self._result_writer(out) as result_writer,
            progress_bar(topic.count if topic else 0, self._recording.path.name, shown=progress, unit="frames") as bar,
        ):
            for result in self._source.frame_results():
                self._first_ns = result.stamp_ns if self._first_ns is None else self._first_ns
                rows, matched = self._match_labels(result, self._first_ns)
                tables.write(result, rows, matched)
                misclassified.add(result, matched, self._first_ns)
                images.add(result)
                if result_writer is not None:
                    result_writer.write(result)
                bar.update()
        if self._first_ns is None:
            reasons = "; ".join(self._recording.problems)
            raise RecordingError(f"{self._recording.path}: no image can be read{reasons and f' ({reasons})'}")
        if self._labels is not None and not self._used:
            raise self._unused_labels_error(self._labels, self._first_ns)

    def report(self, frames: FrameTable, faces: FaceTable, regions: RegionTable) -> dict[str, Any]:
        """Computes the content of report.json from the tables."""
        settings, model, topic = self._settings, self._source.model, self._source.topic
        sha256 = self._recording.sha256()  # before the problems: it may add one
        return {
            "report_format": REPORT_FORMAT,
            "bag": printable(self._recording.path.resolve().name),
            "bag_sha256": sha256,
            "topic": topic.name if topic else None,
            "mode": settings.mode,
            "first_stamp_ns": self._first_ns,
            "duration_s": metrics.duration_s(frames),
            "problems": self._problems(frames),
            "label_file": self._describe_labels(),
            **metrics.all_metrics(frames, faces, regions, settings.pipeline.recognizer.min_confidence),
            "model": model.model,
            "model_sha256": model.model_sha256,
            "device": model.device,
            "parameters": None if settings.mode == "recorded" else parameters_of(settings),
            "anonymize": settings.anonymize,
            "labels": list(self.labels),
            "package_version": package_version(),
            "timing": {"latency_definition": metrics.LATENCY_DEFINITIONS[settings.mode], **metrics.timing(frames)},
        }

    def _match_labels(self, result: FrameResult, first_ns: int) -> tuple[list[LabelRow], Mapping[int, LabelRow]]:
        """Returns the labels that apply to a frame, and the label of each labeled face by index of the face."""
        if self._labels is None:
            return [], {}
        rows = self._labels.at(result.stamp_ns, first_ns)
        matched = self._labels.match(rows, [emotion.face for emotion in result.emotions])
        self._used |= {row.line for row in (*(row for row in rows if row.track_id is None), *matched.values())}
        return rows, matched

    def _result_writer(self, out: Path) -> AbstractContextManager[ResultWriter | None]:
        if not self._settings.write_bag or self._source.topic is None:
            return contextlib.nullcontext()
        return ResultWriter(
            out / BAG,
            self._recording,
            self._source.topic,
            self._source.model,
            detector=self._settings.pipeline.detector.detector,
            anonymize=self._settings.anonymize,
        )

    def _problems(self, frames: FrameTable) -> list[str]:
        topic = self._source.topic
        declared = 0 if topic is None else max(topic.count, self._recording.declared.get(topic.name, 0))
        problems = [
            *self._recording.problems,
            *self._source.problems(),
            *frame_problems(frames, declared),
        ]
        if self._labels is not None and (unused := len(self._labels.rows) - len(self._used)):
            rows = len(self._labels.rows)
            problems.append(f"{unused} of {rows} rows of the labels apply to no frame, or to a track that is not there")
        return problems

    def _describe_labels(self) -> dict[str, Any] | None:
        if self._labels is None:
            return None
        return {
            "file": self._labels.name,
            "sha256": self._labels.sha256,
            "format": "frames" if self._labels.of_frames else "intervals",
            "rows": len(self._labels.rows),
            "rows_used": len(self._used),
        }

    @staticmethod
    def _unused_labels_error(labels: Labels, first_ns: int) -> DatasetError:
        row = labels.rows[0]
        if row.track_id is not None:
            first = f"line {row.line}: in its interval no face has the track id {row.track_id}"
        elif labels.of_frames:
            first = f"line {row.line} is for the stamp {row.start_ns}, that of the first image is {first_ns}"
        else:
            first = f"line {row.line} begins {row.start_ns / NS:g} s after the first image"
        return DatasetError(f"{labels.name}: none of its {len(labels.rows)} rows applies to a frame ({first})")
