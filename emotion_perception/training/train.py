"""Trains a network by a recipe: from a data file to a resumable run folder."""

import json
import logging
import signal
from dataclasses import dataclass
from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader

from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.core.preprocessing import ModelSpec
from emotion_perception.training.averaging import RunningAverage
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.engine import Batch, EmotionTraining, make_loader
from emotion_perception.training.progress import EpochTable, ProgressBar, without_chatter
from emotion_perception.training.provenance import now
from emotion_perception.training.recipe import Recipe
from emotion_perception.training.runs import BEST, LAST, RUN, check_same_recipe, read_checkpoint

_log = logging.getLogger(__name__)
_TABLE = "metrics.csv"


def train(
    recipe: Recipe,
    data_path: Path,
    out: Path,
    *,
    train_split: str = "Training",
    choose_split: str = "PublicTest",
    device: str = "auto",
    num_threads: int = 0,
    resume: bool = True,
) -> Path:
    """Trains and writes `last.ckpt`, `best.ckpt`, `metrics.csv` and `run.json` into `out`.

    A run that was stopped goes on from `out/last.ckpt`. The best epoch is the one with the highest accuracy on
    `choose_split`; nothing else is learnt or chosen there. Blank pictures, pictures without a face and pictures that
    leaked from a test split are left out.

    Args:
        recipe: the hyper-parameters.
        data_path: an .npz or fer2013.csv, see `datasets`.
        out: the run's folder, made if absent.
        train_split: split to learn from; ignored where the file has none (then 10 % are kept apart for choosing).
        choose_split: split whose accuracy chooses the epoch.
        device: `auto`, `cpu` or `cuda`.
        num_threads: threads of torch; 0 keeps its choice.
        resume: go on from `last.ckpt` if it is there.

    Returns:
        The path of the best checkpoint.

    Raises:
        DatasetError: the data cannot be read or holds too few pictures.
        ConfigurationError: the folder holds a run of another recipe, or the device is not there.
        CheckpointError: `out/last.ckpt` is damaged.
        KeyboardInterrupt: stopped by Ctrl-C; what was learnt up to the last full epoch is in `last.ckpt`.
    """
    if num_threads:
        torch.set_num_threads(num_threads)
    L.seed_everything(recipe.seed, workers=True, verbose=False)
    parts = divide(load_dataset(data_path), recipe, train_split, choose_split)
    counts = f"{len(parts.learn)} pictures to learn from and {len(parts.choose)} to choose by"
    if len(parts.learn) < 2 or not len(parts.choose):
        raise DatasetError(f"{data_path}: {counts}")
    _log.info("%s", counts)
    last = _begin(out, recipe, resume)
    if last is None:
        _write_run(out, recipe, data_path, len(parts.learn), train_split, choose_split)
    with without_chatter():
        _fit(_trainer(recipe, out, device), *_prepare(recipe, parts), last)
    return out / BEST


def _prepare(recipe: Recipe, parts: "Parts") -> tuple[EmotionTraining, DataLoader[Batch], DataLoader[Batch]]:
    """Builds the module, what it learns from and what chooses the epoch."""
    spec = spec_of(recipe)
    learn_loader = make_loader(parts.learn, spec, batch_size=recipe.batch_size, shuffle=True)
    choose_loader = make_loader(parts.choose, spec, batch_size=256, shuffle=False)
    module = EmotionTraining(
        recipe,
        num_classes=len(spec.labels),
        num_votes=0 if parts.learn.votes is None else parts.learn.votes.shape[1],
        steps_per_epoch=len(learn_loader),
    )
    return module, learn_loader, choose_loader


@dataclass(frozen=True)
class Parts:
    """What becomes of a data file's pictures.

    Attributes:
        learn: to learn from.
        holdout: kept apart from the same split, for fitting the calibration temperature.
        choose: to choose the epoch by.
    """

    learn: FaceDataset
    holdout: FaceDataset
    choose: FaceDataset


def divide(data: FaceDataset, recipe: Recipe, train_split: str, choose_split: str) -> Parts:
    """Divides a data file for a recipe, the same way each time; blank, rejected and leaked pictures are not learnt.

    Raises:
        DatasetError: the file has splits, and none of the given names.
    """
    if data.splits is None:
        learn, choose = split_holdout(data, 0.1, recipe.seed)
    else:
        learn, choose = data.split(train_split), data.split(choose_split)
    learn, holdout = split_holdout(learn.fit_for_training(), recipe.holdout, recipe.seed)
    return Parts(learn, holdout, choose)


def spec_of(recipe: Recipe) -> ModelSpec:
    """Returns the description that a model trained by this recipe will carry."""
    return ModelSpec(
        architecture=recipe.architecture,
        options=dict(recipe.options),
        input_size=recipe.input_size,
        normalisation=recipe.normalisation,
        crop_margin=recipe.crop_margin,
        mirror_average=recipe.mirror_average,
    )


def split_holdout(data: FaceDataset, share: float, seed: int) -> tuple[FaceDataset, FaceDataset]:
    """Returns the part to learn from and the part kept apart; the same for the same seed."""
    apart = np.random.default_rng(seed).random(len(data)) < share
    return data.select(~apart), data.select(apart)


def _begin(out: Path, recipe: Recipe, resume: bool) -> Path | None:
    """Makes the folder and returns the checkpoint to go on from, if there is one and it fits."""
    out.mkdir(parents=True, exist_ok=True)
    last = out / LAST
    if not resume or not last.is_file():
        for name in (LAST, BEST, _TABLE):
            (out / name).unlink(missing_ok=True)
        return None
    check_same_recipe(out, recipe)
    done = read_checkpoint(last)["epoch"] + 1
    _log.info("going on from %s, after epoch %d of %d", last, done, recipe.epochs)
    return last


def _fit(
    trainer: L.Trainer, module: EmotionTraining, learn: DataLoader[Batch], choose: DataLoader[Batch], last: Path | None
) -> None:
    """Runs the loop; turns what Lightning makes of Ctrl-C, exit code 1 and SIGINT ignored, back into the exception."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(module, learn, choose, ckpt_path=None if last is None else str(last), weights_only=True)
    except SystemExit as e:
        if not isinstance(e.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


def _trainer(recipe: Recipe, out: Path, device: str) -> L.Trainer:
    callbacks: list[Callback] = [
        RunningAverage(recipe.ema_decay),
        ModelCheckpoint(out, "best", monitor="accuracy", mode="max", enable_version_counter=False),
        ModelCheckpoint(out, "last", save_on_train_epoch_end=True, enable_version_counter=False),
        ProgressBar(refresh_rate=10),
        EpochTable(out / _TABLE),
    ]
    cuda = _use_cuda(device)
    return L.Trainer(
        max_epochs=recipe.epochs,
        accelerator="gpu" if cuda else "cpu",
        devices=1,
        precision="bf16-mixed" if _has_bfloat16(cuda) else "32-true",
        callbacks=callbacks,
        logger=False,
        default_root_dir=out,
        num_sanity_val_steps=0,
        log_every_n_steps=50,
        enable_model_summary=False,
    )


def _use_cuda(device: str) -> bool:
    found = torch.cuda.is_available()
    if device == "cuda" and not found:
        raise ConfigurationError("device is 'cuda', but torch finds no CUDA")
    return found and device != "cpu"


def _has_bfloat16(cuda: bool) -> bool:
    """Returns whether bfloat16 is computed by the hardware; emulated, it is many times slower than float32."""
    if cuda:
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def _write_run(out: Path, recipe: Recipe, data_path: Path, learnt: int, train_split: str, choose_split: str) -> None:
    run = {
        "recipe": recipe.as_dict(),
        "data": str(data_path),
        "pictures_learnt": learnt,
        "train_split": train_split,
        "choose_split": choose_split,
        "started": now(),
        "torch": torch.__version__,
    }
    (out / RUN).write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
