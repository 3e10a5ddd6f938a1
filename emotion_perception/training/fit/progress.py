# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a training run says while it goes: metrics.csv, a bar, and no chatter."""

import csv
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback, TQDMProgressBar

_CHATTER = (
    "Checkpoint directory .* exists and is not empty",
    "The '.*_dataloader' does not have many workers",
    "The number of training batches .* is smaller than the logging interval",
    ".*LeafSpec.* is deprecated",
)
COLUMNS = ("epoch", "step", "learning_rate", "train_loss", "loss", "accuracy")


class EpochTable(Callback):
    """Writes one row an epoch to a CSV file; a run that goes on keeps the rows of the epochs before.

    `loss` and `accuracy` are those of the averaged weights on the images that choose the epoch.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: list[dict[str, Any]] = []

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Takes over the rows of the epochs that are done."""
        self._rows = [row for row in _read(self.path) if int(row["epoch"]) < trainer.current_epoch]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Adds the row of this epoch and writes the file."""
        measured = {name: float(trainer.callback_metrics[name]) for name in COLUMNS[3:]}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        row = {"epoch": trainer.current_epoch, "step": trainer.global_step, "learning_rate": rate, **measured}
        self._rows.append({name: _short(value) for name, value in row.items()})
        if not trainer.is_global_zero:
            return
        with open(self.path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self._rows)


class KeepBeforeRestart(Callback):
    """Keeps the checkpoint of the epoch before the last restart, for `Recipe.blend`.

    Args:
        path: the file.
        restart: epoch of the restart.
    """

    def __init__(self, path: Path, restart: int) -> None:
        self._path = path
        self._restart = restart

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Saves, if this was the epoch."""
        if trainer.current_epoch + 1 == self._restart:
            trainer.save_checkpoint(self._path)


class ProgressBar(TQDMProgressBar):
    """Lightning's bar, closed when a run is stopped: left open, it is drawn once more when the program ends."""

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        """Closes the bar, if there is one yet."""
        if self._train_progress_bar is not None:
            self._train_progress_bar.close()


@contextmanager
def without_chatter() -> Iterator[None]:
    """Silences Lightning's tips, and advice that does not apply: the images are in memory, `out` may hold files."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _CHATTER:
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
