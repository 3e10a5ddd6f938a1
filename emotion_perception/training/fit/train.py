# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Trains a network by a recipe: from a data file to a resumable run folder."""

import json
import logging
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from emotion_perception.core.classification.model_bundle import load_model_bundle
from emotion_perception.core.classification.preprocessing import ModelSpec, to_input
from emotion_perception.core.errors import DatasetError
from emotion_perception.reporting.provenance import now
from emotion_perception.training.datasets import FaceDataset, examine, load_dataset, subject_folds
from emotion_perception.training.fit.data_module import EmotionDataModule, down_sampled
from emotion_perception.training.fit.hardware import AUTO, TABLE, Hardware, build_trainer
from emotion_perception.training.fit.lit_module import EmotionLitModule
from emotion_perception.training.fit.pretrained import load_pretrained
from emotion_perception.training.fit.progress import without_chatter
from emotion_perception.training.fit.run_directory import BEFORE, BEST, LAST, RUN, check_same_recipe, read_checkpoint
from emotion_perception.training.recipe import Recipe

_log = logging.getLogger(__name__)
_CHOOSE_SHARE = 0.1  # of the images to learn from, where no split is there to choose by


def train(
    recipe: Recipe,
    data_path: Path,
    out: Path,
    *,
    train_split: str = "Training",
    val_split: str = "PublicTest",
    hardware: Hardware = AUTO,
    num_threads: int = 0,
    resume: bool = True,
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Trains and writes `last.ckpt`, `best.ckpt`, `metrics.csv` and `run.json` into `out`.

    A run that was stopped goes on from `out/last.ckpt`. The best epoch is the one with the highest accuracy on
    `val_split`; nothing else is learnt or chosen there. Blank images, images without a face and images that
    leaked from a test split are left out.

    Args:
        recipe: the hyper-parameters.
        data_path: a file or folder, see `datasets`.
        out: the run's folder, made if absent.
        train_split: split to learn from; ignored where the data has none.
        val_split: split whose accuracy chooses the epoch; empty takes a tenth of what there is to learn from.
        hardware: what it runs on.
        num_threads: threads of torch; 0 keeps its choice.
        resume: go on from `last.ckpt` if it is there.
        callbacks: of Lightning, beside this package's own.

    Returns:
        The path of the best checkpoint.

    Raises:
        DatasetError: the data cannot be read or holds too few images.
        ConfigurationError: the folder holds a run of another recipe, or the device is not there.
        ModelBundleError: `out/last.ckpt` is damaged.
        KeyboardInterrupt: stopped by Ctrl-C; what was learnt up to the last full epoch is in `last.ckpt`.
    """
    if num_threads:
        torch.set_num_threads(num_threads)
    data = load_dataset(data_path, **recipe.data)
    for line in examine(data).lines():
        _log.info("%s", line)
    parts = divide(data, recipe, train_split, val_split)
    counts = f"{len(parts.learn)} images to learn from and {len(parts.choose)} to choose by"
    if len(parts.learn) < 2 or not len(parts.choose):
        raise DatasetError(f"{data_path}: {counts}")
    _log.info("%s", counts)
    recipe, last = begin(recipe, parts.learn, out, data_path, train_split, val_split, resume=resume)
    fit(recipe, parts, out, hardware=hardware, last=last, callbacks=callbacks)
    return out / BEST


def fit(
    recipe: Recipe,
    parts: "Parts",
    out: Path,
    *,
    hardware: Hardware,
    last: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> None:
    """Runs the loop over images that are divided already; writes the checkpoints and metrics.csv."""
    L.seed_everything(recipe.seed, workers=True, verbose=False)
    spec = spec_of(recipe)
    data = EmotionDataModule(recipe, spec, parts.learn, parts.choose)
    module = EmotionLitModule(
        recipe,
        spec,
        num_votes=0 if parts.learn.votes is None else parts.learn.votes.shape[1],
        steps_per_epoch=data.steps_per_epoch(hardware.processes),
        class_weights=data.class_weights(len(spec.labels)),
    )
    if recipe.initial:
        load_pretrained(module.network, recipe)
    with without_chatter():
        _fit(build_trainer(recipe, module.network, out, hardware, callbacks), module, data, last)


@dataclass(frozen=True)
class Parts:
    """What becomes of a data file's images.

    Attributes:
        learn: to learn from.
        holdout: kept apart from the same split, for fitting the calibration temperature.
        choose: to choose the epoch by.
    """

    learn: FaceDataset
    holdout: FaceDataset
    choose: FaceDataset


def divide(data: FaceDataset, recipe: Recipe, train_split: str, val_split: str) -> Parts:
    """Divides a data file for a recipe, the same way each time; blank, rejected and leaked images are not learnt.

    Raises:
        DatasetError: the file has splits, and none of the given names.
    """
    data = data.without_classes(recipe.ignore_classes) if recipe.ignore_classes else data
    learn = data if data.splits is None else data.split(train_split)
    if data.splits is not None and val_split:
        choose = data.split(val_split)
    else:
        learn, choose = split_holdout(learn, _CHOOSE_SHARE, recipe.seed)
    learn, holdout = split_holdout(learn.fit_for_training(), recipe.holdout, recipe.seed)
    return Parts(down_sampled(learn, recipe.seed) if recipe.balance == "downsample" else learn, holdout, choose)


def by_subject(data: FaceDataset, folds: int, seed: int) -> Iterator[tuple[FaceDataset, FaceDataset]]:
    """Yields for each fold the images outside and inside it; nobody's images are on both sides."""
    rows = np.arange(len(data))
    for fold in subject_folds(data, folds, seed):
        inside = np.isin(rows, fold)
        yield data.select(~inside), data.select(inside)


def with_pixel_scale(recipe: Recipe, learn: FaceDataset) -> Recipe:
    """Returns the recipe with mean and deviation of the gray values, where it needs them and does not give them."""
    if recipe.normalization != "dataset" or recipe.pixel_deviation:
        return recipe
    plain = ModelSpec(architecture="", input_size=recipe.input_size, normalization="zero_one")
    moments = np.zeros(2)  # mean of the grays and of their squares
    for k in range(len(learn)):
        gray = to_input(learn.images[k], plain).astype(np.float64) * 255
        moments += (gray.mean(), (gray**2).mean())
    mean, square = moments / len(learn)
    return replace(recipe, pixel_mean=round(float(mean), 4), pixel_deviation=round(float((square - mean**2) ** 0.5), 4))


def spec_of(recipe: Recipe) -> ModelSpec:
    """Returns the description that a model trained by this recipe will carry."""
    return ModelSpec(
        architecture=recipe.architecture,
        options=dict(recipe.options),
        input_size=recipe.input_size,
        normalization=recipe.normalization,
        pixel_mean=recipe.pixel_mean,
        pixel_deviation=recipe.pixel_deviation or 1.0,
        labels=tuple(recipe.labels),
        crop_margin=recipe.crop_margin,
        mirror_average=recipe.mirror_average,
    )


def split_holdout(data: FaceDataset, share: float, seed: int) -> tuple[FaceDataset, FaceDataset]:
    """Returns the part to learn from and the part kept apart; the same for the same seed, nobody in both."""
    if data.subjects is not None and share:
        return next(by_subject(data, round(1 / share), seed))
    apart = np.random.default_rng(seed).random(len(data)) < share
    return data.select(~apart), data.select(apart)


def begin(
    recipe: Recipe,
    learn: FaceDataset,
    out: Path,
    data_path: Path,
    train_split: str,
    val_split: str,
    *,
    resume: bool,
) -> tuple[Recipe, Path | None]:
    """Makes the folder of a run, or takes up what is in it.

    Returns:
        The recipe, completed from the images to learn from, and the checkpoint to go on from, if there is one.
    """
    recipe = with_pixel_scale(recipe, learn)
    out.mkdir(parents=True, exist_ok=True)
    last = out / LAST
    if not resume or not last.is_file():
        for name in (LAST, BEST, BEFORE, TABLE):
            (out / name).unlink(missing_ok=True)
        _write_run(out, recipe, data_path, len(learn), train_split, val_split)
        return recipe, None
    check_same_recipe(out, recipe)
    done = read_checkpoint(last)["epoch"] + 1
    _log.info("going on from %s, after epoch %d of %d", last, done, recipe.epochs)
    return recipe, last


def _fit(trainer: L.Trainer, module: EmotionLitModule, data: EmotionDataModule, last: Path | None) -> None:
    """Runs the loop; turns what Lightning makes of Ctrl-C, exit code 1 and SIGINT ignored, back into the exception."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(module, datamodule=data, ckpt_path=None if last is None else str(last), weights_only=True)
    except SystemExit as e:
        if not isinstance(e.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


def _write_run(out: Path, recipe: Recipe, data_path: Path, learnt: int, train_split: str, val_split: str) -> None:
    """Writes run.json: the recipe, and what is learnt from."""
    run = {
        "recipe": recipe.as_dict(),
        "data": str(data_path),
        "pictures_learnt": learnt,
        "train_split": train_split,
        "val_split": val_split,
        "started": now(),
        "initial_sha256": load_model_bundle(recipe.initial).sha256 if recipe.initial else None,
        "teacher_sha256": load_model_bundle(recipe.teacher).sha256 if recipe.teacher else None,
        "torch": torch.__version__,
    }
    (out / RUN).write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
