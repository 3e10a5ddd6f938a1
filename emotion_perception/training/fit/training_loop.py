# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Trains a network by a recipe, from a dataset to a run directory that can be resumed."""

import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import SIGTERMException

from emotion_perception.core.errors import ConfigurationError, one_line
from emotion_perception.training.datasets import examine, load_dataset
from emotion_perception.training.fit.data_module import EmotionDataModule
from emotion_perception.training.fit.data_splits import DataSplits, split_data, with_pixel_statistics
from emotion_perception.training.fit.hardware import AUTO, Hardware, build_trainer, set_num_threads
from emotion_perception.training.fit.lit_module import EmotionLitModule
from emotion_perception.training.fit.one_machine import of_a_launcher
from emotion_perception.training.fit.pretrained import load_pretrained
from emotion_perception.training.fit.progress import without_lightning_messages
from emotion_perception.training.fit.run_directory import BEST, TEACHER
from emotion_perception.training.fit.run_start import open_run_folder, start_run
from emotion_perception.training.recipe import TRAIN_SPLIT, VAL_SPLIT, Recipe

_log = logging.getLogger(__name__)


def train(
    recipe: Recipe,
    data_path: Path,
    out: Path,
    *,
    train_split: str = TRAIN_SPLIT,
    val_split: str = VAL_SPLIT,
    hardware: Hardware = AUTO,
    num_threads: int = 0,
    resume: bool = True,
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Trains a network and writes `last.ckpt`, `best.ckpt`, `metrics.csv` and `run.json` into `out`.

    A run that was stopped is resumed from `out/last.ckpt`. The best epoch is the one with the highest accuracy on the
    validation images, which are used for nothing else.

    Args:
        recipe: hyperparameters.
        data_path: file or folder of the dataset, see `datasets`.
        out: directory of the run, created if absent.
        train_split: name of the training split; the default is ignored where the dataset has no splits.
        val_split: name of the validation split; empty takes a tenth of the training split.
        hardware: device, precision and number of processes.
        num_threads: threads of torch; 0 keeps torch's default.
        resume: resume from `last.ckpt` if it exists; otherwise the files of the run in `out` are removed.
        callbacks: Lightning callbacks beside those of this package.

    Returns:
        The path of the best checkpoint.

    Raises:
        DatasetError: the dataset cannot be read or has too few images.
        ConfigurationError: `out` holds a run with another recipe, other data or another split, or other files than
            those of a run; another process writes there; or the device is not available.
        ModelBundleError: `out/last.ckpt` is damaged.
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM; `last.ckpt` holds the last complete epoch.
    """
    set_num_threads(num_threads)
    with open_run_folder(out, inputs=[data_path]) as folder:
        data = load_dataset(data_path, **recipe.data)
        for line in examine(data).lines():
            _log.info("%s", line)
        splits = split_data(data, recipe, train_split, val_split)
        splits.check(str(data_path))
        _log.info("%s", splits.counts())
        if recipe.vote_weight and splits.train.votes is None:
            _log.info("the data has no votes: vote_weight %g of the recipe is not used", recipe.vote_weight)
        recipe = with_pixel_statistics(recipe, splits.train)
        names = {"train_split": train_split, "val_split": val_split}
        checkpoint = start_run(folder, recipe, splits, data_path=data_path, **names, resume=resume)
        fit(recipe, splits, out, hardware=hardware, checkpoint=checkpoint, callbacks=callbacks)
    return out / BEST


def fit(
    recipe: Recipe,
    splits: DataSplits,
    out: Path,
    *,
    hardware: Hardware,
    checkpoint: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> None:
    """Runs the training loop; writes the checkpoints and metrics.csv into `out`.

    Args:
        recipe: hyperparameters, pixel statistics included.
        splits: training and validation images.
        out: directory of the run.
        hardware: device, precision and number of processes.
        checkpoint: is resumed; None starts with pretrained or random weights.
        callbacks: Lightning callbacks beside those of this package.
    """
    L.seed_everything(recipe.seed, workers=True, verbose=False)
    spec = recipe.model_spec()
    data = EmotionDataModule(recipe, spec, splits, teacher_file=out / TEACHER)
    module = EmotionLitModule(
        recipe,
        spec,
        num_votes=0 if splits.train.votes is None else splits.train.votes.shape[1],
        steps_per_epoch=data.steps_per_epoch(hardware.processes),
        class_weights=data.class_weights(len(spec.labels)),
    )
    _check_sizes(module, recipe)
    if recipe.pretrained:
        load_pretrained(module.network, recipe)
    with without_lightning_messages():
        trainer = build_trainer(recipe, module.network, out, hardware, callbacks)
        _fit_until_interrupted(trainer, module, data, checkpoint)


def _check_sizes(module: EmotionLitModule, recipe: Recipe) -> None:
    """Raises ConfigurationError if the network cannot take images of a size that the recipe names."""
    for size in sorted({recipe.input_size, *recipe.sizes.values()}):
        try:
            with torch.inference_mode():
                module.network.eval()(torch.zeros(1, 1, size, size))
        except RuntimeError as e:
            too_small = f"recipe: {recipe.architecture} does not take images of {size}x{size} pixels"
            raise ConfigurationError(f"{too_small} ({one_line(e)})") from e
        finally:
            module.network.train()


def _fit_until_interrupted(
    trainer: L.Trainer, module: EmotionLitModule, data: EmotionDataModule, checkpoint: Path | None
) -> None:
    """Runs the trainer; raises KeyboardInterrupt on Ctrl-C and SIGTERM, SystemExit in processes that Lightning started.

    Lightning exits with code 1 on Ctrl-C, and ignores SIGINT then; with code 0, as after the last epoch, on SIGTERM.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        path = None if checkpoint is None else str(checkpoint)
        trainer.fit(module, datamodule=data, ckpt_path=path, weights_only=True)
    except SystemExit as e:
        if not isinstance(e, SIGTERMException) and not isinstance(e.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        if trainer.global_rank and not of_a_launcher():
            sys.exit()  # Lightning kills the first process when one that it has started ends with another exit code
        raise KeyboardInterrupt from None
