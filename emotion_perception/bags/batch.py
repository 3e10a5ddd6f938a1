# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluates many recordings, in processes of this machine or on a Dask cluster, into one aggregated report."""

import json
import logging
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_perception.bags.evaluation import (
    BAG,
    evaluate_bag,
    evaluation_folder,
    has_unchanged_results,
    same_evaluation,
)
from emotion_perception.bags.inference.settings import PipelineMaker, Settings
from emotion_perception.bags.io.folder_search import find_recordings, recording_name
from emotion_perception.bags.io.images import image_topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.bags.report.aggregate import FailedBag, aggregate
from emotion_perception.bags.report.report import JSON, REPORT_FILES
from emotion_perception.core.errors import ConfigurationError, EmotionPerceptionError, RecordingError, one_line
from emotion_perception.core.pipeline import Pipeline
from emotion_perception.core.printable import printable
from emotion_perception.reporting.output_folder import OutputFolder
from emotion_perception.reporting.progress import progress_bar

_LOG = logging.getLogger(__name__)
_LABELS = "labels.csv"
_SHOWN = 3  # names of files


@dataclass(frozen=True)
class _Job:
    """The evaluation of one recording; it is pickled for another process or machine."""

    name: str
    path: Path
    out: Path
    labels: Path | None
    settings: Settings
    make_pipeline: PipelineMaker


_Evaluated = Generator[tuple[_Job, str], None, None]  # each job once it is done, and the reason if it failed


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
    """Evaluates all recordings in a folder, and writes an aggregated report besides that of each recording.

    A recording that cannot be evaluated is listed as failed. A recording with a report of the same settings and content
    is not evaluated again, so an interrupted run can be continued.

    Args:
        folder: folder that is searched, including subfolders.
        out: output folder, created if missing; the results of NAME are in OUT/NAME.
        settings: settings of all evaluations.
        labels: folder with NAME.csv for each recording, or None; see `labels_of`.
        workers: number of processes on this machine.
        scheduler: address of a Dask scheduler to use instead of processes; its workers need the same folders.
        progress: show a progress bar.
        make_pipeline: creates the pipeline from the settings' options; it is pickled for the workers.

    Returns:
        The content of the aggregated report.json.

    Raises:
        RecordingError: there is no recording, or none could be evaluated.
        ConfigurationError: `labels` is not a folder, Dask is not installed or not reachable, or an output folder cannot
            be used (see `OutputFolder`).
    """
    if labels is not None and not labels.is_dir():
        raise ConfigurationError(
            f"{labels}: not a folder; for several recordings give a folder with NAME.csv for each of them"
        )
    if workers < 1:
        raise ConfigurationError(f"--workers {workers} is below 1")
    jobs = [
        _Job(name, path, out / name, labels_of(path, labels, name), settings, make_pipeline)
        for name, path in find_recordings(folder, exclude=out).items()
    ]
    if not jobs:
        raise RecordingError(f"{folder}: no rosbag2 recording in this folder or its subfolders")
    if labels is not None and not any(job.labels for job in jobs):
        raise ConfigurationError(
            f"{labels}: has a CSV file for none of {len(jobs)} recordings, e.g. {jobs[0].name}.csv"
        )
    if labels is not None:
        used = {job.labels for job in jobs}
        _warn_of_unused([path.relative_to(labels) for path in sorted(labels.rglob("*.csv")) if path not in used], jobs)
    folders = {Path(job.name).parts[0] for job in jobs}
    if taken := sorted(folders.intersection(REPORT_FILES)):
        raise ConfigurationError(f"{folder / taken[0]}: has the name of a file of the results: give it another one")
    read = [folder, *([] if labels is None else [labels])]
    with OutputFolder(out, "evaluate-bag", writes=REPORT_FILES, inputs=read) as output:
        output.claim(*folders)  # whose content their evaluations replace
        for job in sorted(jobs, key=lambda job: job.out):  # a folder before those in it
            with evaluation_folder(job.path, job.out, settings, job.labels) as own:
                own.claim()
        try:
            failed = _evaluate_all(jobs, min(workers, len(jobs)), scheduler, progress=progress)
        finally:
            if scheduler is None:  # its workers may be writing still
                _remove_left_overs(jobs)
        evaluated = [job for job in jobs if job.name not in {bag.name for bag in failed}]
        if not evaluated:
            raise RecordingError(f"{folder}: none of {len(jobs)} recordings can be evaluated; {failed[0].problem}")
        with output.replaced(last=JSON) as part:
            bags = [(job.name, job.out) for job in evaluated]
            return aggregate(folder.resolve().name, bags, failed, part, settings)


def _warn_of_unused(files: Sequence[Path], jobs: "Sequence[_Job]") -> None:
    """Logs label files that belong to no recording, as those with a misspelled name."""
    if files:
        names = ", ".join(printable(str(file)) for file in files[:_SHOWN])
        more = ", ..." if len(files) > _SHOWN else ""
        _LOG.warning("labels that are for no recording: %s%s; expected are names as %s.csv", names, more, jobs[0].name)


def labels_of(bag: Path, given: Path | None, name: str = "") -> Path | None:
    """Returns the label file of a recording, or None.

    Args:
        bag: the recording.
        given: a label file, a folder with NAME.csv for each recording, or None for labels.csv in the folder `bag`.
        name: name of the recording, for a folder; empty takes `recording_name`.
    """
    if given is None:
        own = bag / _LABELS
        return own if os.path.lexists(own) else None  # a link that leads nowhere is refused when it is read
    if not given.is_dir():
        return given
    file = given / f"{name or recording_name(bag)}.csv"
    return file if os.path.lexists(file) else None


def _evaluate_all(jobs: Sequence[_Job], workers: int, scheduler: str | None, *, progress: bool) -> list[FailedBag]:
    """Runs all jobs; returns the failed ones in the order of the jobs."""
    if scheduler is not None:
        evaluated = _evaluated_by_dask(jobs, scheduler)
    else:
        evaluated = _evaluated_here(jobs) if workers == 1 else _evaluated_in_processes(jobs, workers)
    frames = {job.name: _count_images(job) for job in jobs}
    problems: dict[str, str] = {}
    with (
        progress_bar(sum(frames.values()), "evaluating", shown=progress, unit="frames") as bar,
        closing(evaluated),  # also its processes, on Ctrl-C
    ):
        for done, (job, problem) in enumerate(evaluated, 1):
            if problem:
                problems[job.name] = problem
            bar.set_postfix_str(f"{done}/{len(jobs)} bags, {len(problems)} failed")
            bar.update(frames[job.name])
    return [FailedBag(job.name, problems[job.name]) for job in jobs if job.name in problems]


def _evaluated_here(jobs: Sequence[_Job]) -> _Evaluated:
    """Evaluates each recording in this thread, which alone hears Ctrl-C."""
    for job in jobs:
        try:
            problem = _evaluate(job)
        except Exception as e:  # noqa: BLE001 - whatever one recording causes, the others are evaluated
            problem = one_line(e)
        yield job, problem


def _evaluated_in_processes(jobs: Sequence[_Job], workers: int) -> _Evaluated:
    """Evaluates the recordings in processes.

    Where one of these is killed, e.g. because memory is short, all of them end. The recordings that were not done are
    then evaluated one after the other, so that only the one that ends its process is lost.
    """
    unfinished: deque[_Job] = deque()
    with _processes(workers) as executor:
        for job, result in _results(jobs, executor):
            if isinstance(result, BrokenProcessPool):
                unfinished.append(job)
            else:
                yield job, _problem(result)
    if unfinished:
        _LOG.warning("a worker process was killed: evaluating %d recordings one after the other", len(unfinished))
    while unfinished:
        with _processes(1) as executor:
            while unfinished:
                ((job, result),) = _results([unfinished.popleft()], executor)
                yield job, _problem(result)
                if isinstance(result, BrokenProcessPool):
                    break


def _evaluated_by_dask(jobs: Sequence[_Job], scheduler: str) -> _Evaluated:
    """Evaluates the recordings by the workers of a Dask scheduler."""
    try:
        from distributed import Client
    except ImportError:
        raise ConfigurationError("--scheduler needs Dask: pip install emotion_perception[cluster]") from None
    try:
        client = Client(scheduler, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as e:  # TimeoutError is an OSError
        raise ConfigurationError(f"--scheduler {scheduler}: {one_line(e)}") from e
    with client:
        for job, result in _results(jobs, client.get_executor(pure=False)):
            yield job, _problem(result)


def _results(jobs: Sequence[_Job], executor: Executor) -> Iterator[tuple[_Job, str | Exception]]:
    """Yields each job once it is done, with what `_evaluate` returned, or with the error that ended it."""
    futures: dict[Future[str], _Job] = {}
    for job in jobs:
        try:
            futures[executor.submit(_evaluate, job)] = job
        except BrokenProcessPool as e:  # by an earlier one
            yield job, e
    for future in as_completed(futures):
        error = future.exception()
        if error is not None and not isinstance(error, Exception):
            raise error
        yield futures[future], future.result() if error is None else error


def _problem(result: str | Exception) -> str:
    return result if isinstance(result, str) else f"the worker process ended ({one_line(result)})"


def _evaluate(job: _Job) -> str:
    """Evaluates one recording in a worker; returns the reason if it fails, else an empty string."""
    try:
        report = _report_that_is_there(job)
        if report is None:
            report = evaluate_bag(
                job.path,
                job.out,
                job.settings,
                labels=job.labels,
                progress=False,
                make_pipeline=job.make_pipeline,
            )
    except (EmotionPerceptionError, OSError) as e:
        return one_line(e)
    return "" if report["frames"]["processed"] else "; ".join(report["problems"])


def _remove_left_overs(jobs: Sequence[_Job]) -> None:
    """Removes the unfinished files of worker processes that were ended."""
    for job in jobs:
        with suppress(EmotionPerceptionError), evaluation_folder(job.path, job.out, job.settings, job.labels):
            pass  # a folder removes them when it is opened


def _report_that_is_there(job: _Job) -> dict[str, Any] | None:
    """Returns the report of an earlier evaluation with the same settings, content and files, or None."""
    if not has_unchanged_results(job.out) or (job.settings.write_bag and not (job.out / BAG).exists()):
        return None
    report: dict[str, Any] = json.loads((job.out / JSON).read_text(encoding="utf-8"))
    return report if same_evaluation(report, job.path, job.settings, job.labels) else None


def _count_images(job: _Job) -> int:
    """Returns the number of images of a recording, 0 if it cannot be opened."""
    try:
        with Recording(job.path) as recording:
            return image_topic(recording, job.settings.topic).count
    except (EmotionPerceptionError, OSError):
        return 0


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    # spawn: a forked process would inherit locks of onnxruntime's and OpenCV's threads in any state
    context, others = multiprocessing.get_context("spawn"), multiprocessing.active_children()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as processes:
        try:
            yield processes
        except BaseException:  # a recording may take long, and nobody waits for it any more
            for process in set(multiprocessing.active_children()).difference(others):
                process.terminate()
            raise


def _end_with_parent() -> None:
    """Leaves Ctrl-C to the parent of this worker, and ends the worker where the parent was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_parent, name="parent", daemon=True).start()


def _wait_for_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
