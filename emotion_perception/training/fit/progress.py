# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Progress of a training run: metrics.csv, a progress bar, its checkpoints, and the end of one that diverges."""

import csv
import logging
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, TQDMProgressBar

from emotion_perception.core.atomic_files import atomic_file
from emotion_perception.core.errors import ConfigurationError

_IGNORED_WARNINGS = (
    "Checkpoint directory .* exists and is not empty",
    "The '.*_dataloader' does not have many workers",
    "The number of training batches .* is smaller than the logging interval",
    ".*LeafSpec.* is deprecated",
)
COLUMNS = ("epoch", "step", "learning_rate", "train_loss", "loss", "accuracy")


class DivergedError(ConfigurationError):
    """The loss of a training is not finite, and neither are its weights from then on."""


class FiniteLoss(Callback):
    """Ends a training that has diverged; the checkpoints stay those of the epochs before."""

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Checks the losses of the epoch on the training and validation images.

        Raises:
            DivergedError: one is not finite.
        """
        for name in ("train_loss", "loss"):
            if not math.isfinite(loss := float(trainer.callback_metrics[name])):
                raise DivergedError(
                    f"the loss of epoch {trainer.current_epoch + 1} is {loss}: the training has diverged; "
                    "set a lower learning_rate in the recipe"
                )


class EpochTable(Callback):
    """Writes one row per epoch to a CSV file; a resumed run keeps the rows of the epochs before.

    `loss` and `accuracy` are those of the averaged weights on the validation images.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: list[dict[str, Any]] = []

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Reads the rows of the epochs that are done."""
        self._rows = [row for row in _read(self.path) if int(row["epoch"]) < trainer.current_epoch]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Adds the row of the epoch and writes the file."""
        measured = {name: float(trainer.callback_metrics[name]) for name in COLUMNS[3:]}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        row = {"epoch": trainer.current_epoch, "step": trainer.global_step, "learning_rate": rate, **measured}
        self._rows.append({name: _short(value) for name, value in row.items()})
        if not trainer.is_global_zero:
            return
        with atomic_file(self.path) as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self._rows)


class SameFolder(Callback):
    """Ends a training whose directory was replaced, e.g. by a link to another one, before anything is written there.

    Args:
        path: directory of the run.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._identity: tuple[int, int] | None = None

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Notes which directory it is."""
        self._path.mkdir(parents=True, exist_ok=True)
        self._identity = self._present()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Checks the directory before a checkpoint is written."""
        self._check()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Checks the directory before the files of the epoch are written."""
        self._check()

    def _check(self) -> None:
        if self._present() != self._identity:
            raise ConfigurationError(f"{self._path}: was removed, moved or replaced while the run was writing there")

    def _present(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_dev, status.st_ino


class MovedCheckpoints(Callback):
    """Lets a resumed run know its best score if its directory was moved or renamed meanwhile.

    The state of `ModelCheckpoint` has absolute paths, and Lightning ignores it where the directory has another one.
    """

    def on_load_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Replaces the directory in the states of the checkpoint callbacks, before they get them."""
        for callback in trainer.checkpoint_callbacks:
            if isinstance(callback, ModelCheckpoint) and (state := checkpoint["callbacks"].get(callback.state_key)):
                folder = Path(str(callback.dirpath))
                for name in ("best_model_path", "kth_best_model_path", "last_model_path"):
                    state[name] = str(folder / Path(state[name]).name) if state[name] else ""
                kept = state["best_k_models"].items()
                state["best_k_models"] = {str(folder / Path(path).name): score for path, score in kept}
                state["dirpath"] = callback.dirpath


class CheckpointBeforeRestart(Callback):
    """Saves the checkpoint of the epoch before the last restart, for `Recipe.soup_weight`.

    Args:
        path: the file.
        restart: epoch of the restart.
    """

    def __init__(self, path: Path, restart: int) -> None:
        self._path = path
        self._restart = restart

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Saves the checkpoint if the restart follows."""
        if trainer.current_epoch + 1 == self._restart:
            trainer.save_checkpoint(self._path)


class ProgressBar(TQDMProgressBar):
    """Lightning's progress bar, closed when a run is stopped: otherwise it is drawn again when the program ends."""

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        """Closes the bar, if it has been created."""
        if self._train_progress_bar is not None:
            self._train_progress_bar.close()


@contextmanager
def without_lightning_messages() -> Iterator[None]:
    """Silences Lightning's tips and the warnings that do not apply: samples need no workers, `out` may hold files."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _IGNORED_WARNINGS:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return list(reader) if tuple(reader.fieldnames or ()) == COLUMNS else []


def _short(value: float | int) -> str:
    return f"{value:.6g}"
