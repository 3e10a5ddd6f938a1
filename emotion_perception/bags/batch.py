# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluates many recordings, side by side on this machine or on a Dask cluster, into one merged report."""

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_perception.bags.evaluation import evaluate_bag, same_evaluation
from emotion_perception.bags.inference.settings import PipelineMaker, Settings
from emotion_perception.bags.io.images import image_topic
from emotion_perception.bags.io.recording import Recording, is_recording
from emotion_perception.bags.report.aggregate import BrokenBag, merge
from emotion_perception.bags.report.report import JSON
from emotion_perception.core.errors import ConfigurationError, EmotionPerceptionError, RecordingError, one_line
from emotion_perception.core.pipeline import Pipeline
from emotion_perception.reporting.progress import progress_bar

_LABELS = "labels.csv"


@dataclass(frozen=True)
class _Job:
    """One recording to be evaluated; travels to another process or machine."""

    name: str
    path: Path
    out: Path
    labels: Path | None
    settings: Settings
    make_pipeline: PipelineMaker


def evaluate_many(
    folder: Path,
    out: Path,
    settings: Settings,
    *,
    labels: Path | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = True,
    make_pipeline: PipelineMaker = Pipeline,
) -> dict[str, Any]:
    """Writes a report of each recording in a folder into a folder of its own, and one of all together into `out`.

    A recording that cannot be evaluated is reported and skipped. One whose report is there already, made with the same
    settings from the same content, is not evaluated again, so an interrupted run goes on where it stopped.

    Args:
        folder: searched with its subfolders.
        out: folder, made if absent; results of NAME go to OUT/NAME.
        settings: the same for all.
        labels: folder with NAME.csv for each, or None: see `labels_of`.
        workers: processes on this machine.
        scheduler: address of a Dask scheduler whose workers see the same folders and take the processes' place.
        progress: show a bar.
        make_pipeline: what makes the pipeline of the settings; travels to the workers.

    Returns:
        The content of the merged report.json.

    Raises:
        RecordingError: there is no recording, or not one of them could be evaluated.
        ConfigurationError: the labels are no folder, or Dask is not installed or not reachable.
    """
    if labels is not None and not labels.is_dir():
        raise ConfigurationError(f"{labels}: for many recordings give a folder that holds NAME.csv for each")
    if workers < 1:
        raise ConfigurationError(f"--workers {workers} is below 1")
    jobs = [
        _Job(name, path, out / name, labels_of(path, labels, name), settings, make_pipeline)
        for name, path in find_recordings(folder, leave_out=out).items()
    ]
    if not jobs:
        raise RecordingError(f"{folder}: holds no rosbag2 recording, nor do its subfolders")
    with _executor(min(workers, len(jobs)), scheduler) as executor:
        broken = _work(jobs, executor, progress=progress)
    whole = [job for job in jobs if job.name not in {bag.name for bag in broken}]
    if not whole:
        raise RecordingError(f"{folder}: not one of {len(jobs)} recordings can be evaluated; {broken[0].problem}")
    return merge(folder.resolve().name, [(job.name, job.out) for job in whole], broken, out, settings)


def find_recordings(folder: Path, *, leave_out: Path) -> dict[str, Path]:
    """Returns the recordings in a folder and its subfolders by their relative path, in the order of their names."""
    found: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        if entry.resolve() == leave_out.resolve():
            continue
        if is_recording(entry):
            found[entry.stem if entry.is_file() else entry.name] = entry
        elif entry.is_dir():
            below = find_recordings(entry, leave_out=leave_out)
            found |= {f"{entry.name}/{name}": path for name, path in below.items()}
    return found


def labels_of(bag: Path, given: Path | None, name: str = "") -> Path | None:
    """Returns the labels of a recording: the file given; of a folder NAME.csv; without either labels.csv in the bag."""
    if given is None:
        own = bag / _LABELS
        return own if own.is_file() else None
    if not given.is_dir():
        return given
    file = given / f"{name or bag.stem}.csv"
    return file if file.is_file() else None


def _work(jobs: Sequence[_Job], executor: Executor, *, progress: bool) -> list[BrokenBag]:
    """Evaluates all; returns those that failed, in the order of the jobs."""
    frames = {job.name: _count(job) for job in jobs}
    broken: dict[str, str] = {}
    with progress_bar(sum(frames.values()), "evaluating", shown=progress, unit="frames") as bar:
        futures: dict[Future[str], _Job] = {executor.submit(_evaluate, job): job for job in jobs}
        for done, future in enumerate(as_completed(futures), 1):
            job = futures[future]
            try:
                problem = future.result()
            except Exception as e:  # noqa: BLE001 - a worker died, e.g. for want of memory: the others go on
                problem = f"the worker ended ({one_line(e)})"
            if problem:
                broken[job.name] = problem
            bar.set_postfix_str(f"{done}/{len(jobs)} bags, {len(broken)} broken")
            bar.update(frames[job.name])
    return [BrokenBag(job.name, broken[job.name]) for job in jobs if job.name in broken]


def _evaluate(job: _Job) -> str:
    """Evaluates one recording in a worker; returns what is wrong with it, empty where nothing is."""
    try:
        if not _is_done(job):
            maker = job.make_pipeline
            evaluate_bag(job.path, job.out, job.settings, labels=job.labels, progress=False, make_pipeline=maker)
    except (EmotionPerceptionError, OSError) as e:
        return one_line(e)
    return ""


def _is_done(job: _Job) -> bool:
    try:
        report = json.loads((job.out / JSON).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return same_evaluation(report, job.path, job.settings, job.labels)


def _count(job: _Job) -> int:
    """Returns the images of a recording, 0 where that is not to be known."""
    try:
        with Recording(job.path) as recording:
            return image_topic(recording, job.settings.topic).count
    except (EmotionPerceptionError, OSError):
        return 0


@contextmanager
def _executor(workers: int, scheduler: str | None) -> Iterator[Executor]:
    if scheduler is None and workers == 1:
        with ThreadPoolExecutor(1) as pool:  # no process has to be started for one after the other
            yield pool
        return
    if scheduler is None:
        # spawn: a forked process would inherit onnxruntime's and OpenCV's threads in whatever state they are
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as processes:
            yield processes
        return
    try:
        from distributed import Client
    except ImportError:
        raise ConfigurationError("--scheduler needs Dask: pip install emotion_perception[cluster]") from None
    try:
        client = Client(scheduler, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as e:  # TimeoutError is an OSError
        raise ConfigurationError(f"--scheduler {scheduler}: {one_line(e)}") from e
    with client:
        yield client.get_executor(pure=False)
