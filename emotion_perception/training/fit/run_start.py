# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Starts a training run in its directory, or resumes the one that is there if it is the same run."""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.utilities import rank_zero_only

from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.classification import load_model_bundle
from emotion_perception.core.errors import ConfigurationError, ModelBundleError, ModelFileError
from emotion_perception.reporting.output_folder import OutputFolder
from emotion_perception.reporting.provenance import now
from emotion_perception.training.fit.data_splits import DataSplits, splits_sha256
from emotion_perception.training.fit.run_directory import (
    BEFORE_RESTART,
    BEST,
    LAST,
    METRICS,
    RUN,
    TEACHER,
    TENSORBOARD,
    TrainingRun,
    load_run,
    read_checkpoint,
)
from emotion_perception.training.recipe import Recipe

FILES = (RUN, METRICS, TEACHER, BEST, BEFORE_RESTART, LAST, TENSORBOARD)
_MEASURED = {"pixel_mean", "pixel_deviation"}  # recipe keys that may come from the data
_SELECTS_DATA = {"balance", "calibration_fraction", "data", "ignore_classes", "labels", "seed", "unlabeled_split"}
_WAY_OUT = "give another --out or --no-resume"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunFolder:
    """The directory of a run that this process writes.

    Attributes:
        path: the directory.
        output: owns it; None in the further processes of a run, whose first process does.
    """

    path: Path
    output: OutputFolder | None


@contextmanager
def open_run_folder(path: Path, inputs: Sequence[Path] = ()) -> Iterator[RunFolder]:
    """Yields the directory of a run, which no other command can write meanwhile.

    Args:
        path: the directory, created if absent.
        inputs: files and folders that the run reads.

    Raises:
        ConfigurationError: it holds other files than those of a run, or another process writes there.
    """
    if not is_first_process():
        yield RunFolder(path, None)
        return
    with OutputFolder(path, "train", writes=FILES, inputs=inputs, earlier=files_of_run) as output:
        yield RunFolder(path, output)


def is_first_process() -> bool:
    """Returns whether this process is the first, or the only one, of those that train together."""
    return not getattr(rank_zero_only, "rank", 0)


def files_of_run(folder: Path) -> tuple[str, ...]:
    """Returns the names of the files of a run, empty if the folder has no run.json that `train` wrote."""
    try:
        load_run(folder)
    except (ModelFileError, ModelBundleError, ConfigurationError):
        return ()
    return FILES


def start_run(
    folder: RunFolder,
    recipe: Recipe,
    splits: DataSplits,
    *,
    data_path: Path,
    train_split: str,
    val_split: str,
    resume: bool,
) -> Path | None:
    """Starts a run, or resumes the one that is in the directory.

    Args:
        folder: the directory.
        recipe: hyperparameters, pixel statistics included.
        splits: the images.
        data_path: path of the dataset.
        train_split: name of the training split.
        val_split: name of the validation split.
        resume: resume a run that is there; otherwise its files are removed.

    Returns:
        The checkpoint to resume from; None for a new run.

    Raises:
        ConfigurationError: the directory holds a run with another recipe, other data or another split, or lacks one of
            its two checkpoints.
        ModelBundleError: its last checkpoint or its run.json is missing or damaged.
    """
    last = folder.path / LAST
    resumed = resume and last.is_file()
    if folder.output is None:
        return last if resumed else None
    run = TrainingRun(
        recipe=recipe,
        data=data_path,
        num_train_images=len(splits.train),
        train_split=train_split,
        val_split=val_split,
        started=now(),
        pretrained_sha256=load_model_bundle(recipe.pretrained).sha256 if recipe.pretrained else None,
        teacher_sha256=" ".join(load_model_bundle(name).sha256 for name in recipe.teachers) or None,
        data_sha256=splits_sha256(splits),
        torch=torch.__version__,
    )
    if resumed:
        try:
            before = check_same_run(folder.path, run)
        except (ModelFileError, ModelBundleError) as e:
            raise ModelBundleError(f"{e}; --no-resume starts a new run") from e
        try:
            done = int(read_checkpoint(last)["epoch"]) + 1
        except (ModelBundleError, KeyError, TypeError, ValueError) as e:
            reason = e if isinstance(e, ModelBundleError) else f"{last}: not a checkpoint of a run"
            raise ModelBundleError(f"{reason}; --no-resume starts a new run") from e
        if not (folder.path / BEST).is_file():
            raise ConfigurationError(f"{folder.path / BEST}: missing, so the best epoch is lost: {_WAY_OUT}")
        _log.info("resuming from %s, after epoch %d of %d", last, done, recipe.epochs)
        run = replace(before, data=data_path, data_sha256=run.data_sha256)  # it may have been moved
    elif resume and (folder.path / BEST).is_file() and _epochs_done(folder.path) > 1:
        raise ConfigurationError(f"{last}: missing, so the run cannot be resumed: {_WAY_OUT}")
    else:
        folder.output.remove(*(name for name in FILES if not resume or name != TEACHER))  # which takes long to compute
    folder.output.claim(*FILES)
    values = asdict(run) | {"recipe": recipe.as_dict(), "data": str(data_path)}
    write_atomically(folder.path / RUN, json.dumps(values, indent=2) + "\n")
    return last if resumed else None


def check_same_run(folder: Path, run: TrainingRun) -> TrainingRun:
    """Refuses to resume a run that differs; another number of epochs is another schedule, too.

    Of a run of an earlier version, which noted no hash of its data, the path and the number of images are compared.

    Args:
        folder: directory of the run.
        run: what the command line and the data now give.

    Returns:
        The content of run.json.

    Raises:
        ConfigurationError: the runs differ; the message names in what.
        ModelFileError, ModelBundleError: see `load_run`.
    """
    before = load_run(folder)
    old, new = before.recipe.as_dict(), run.recipe.as_dict()
    changed = {key for key in new if _as_json(new[key]) != _as_json(old[key])}
    data = _data_differences(before, run)
    if data:
        changed -= _MEASURED
    words = sorted(changed) + ([] if changed & _SELECTS_DATA else data)
    if not changed:
        words += [
            name
            for name, sha256, other in (
                ("pretrained weights", before.pretrained_sha256, run.pretrained_sha256),
                ("weights of the teacher", before.teacher_sha256, run.teacher_sha256),
            )
            if sha256 != other
        ]
    if words:
        raise ConfigurationError(f"{folder} holds a run with another {', '.join(words)}: {_WAY_OUT}")
    return before


def _data_differences(before: TrainingRun, run: TrainingRun) -> list[str]:
    named = (
        ("training split", before.train_split, run.train_split),
        ("validation split", before.val_split, run.val_split),
    )
    splits = [word for word, old, new in named if old != new]
    if before.data_sha256 is not None:
        return [] if before.data_sha256 == run.data_sha256 else splits or ["data set"]
    same = before.data.resolve() == run.data.resolve() and before.num_train_images == run.num_train_images
    return splits + ([] if same else ["data set"])


def _epochs_done(folder: Path) -> int:
    """Returns the number of rows of metrics.csv."""
    path = folder / METRICS
    return len(path.read_text(encoding="utf-8").splitlines()) - 1 if path.is_file() else 0


def _as_json(value: Any) -> Any:
    """Returns the value as JSON stores it."""
    return json.loads(json.dumps(value))
