# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The directory of a training run: run.json, Lightning checkpoints and metrics.csv."""

import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emotion_perception.core.classification import load_model_bundle
from emotion_perception.core.errors import ModelBundleError, ModelFileError, clipped, one_line
from emotion_perception.core.retired_names import RUN_KEYS, with_present_names
from emotion_perception.core.text_files import read_text
from emotion_perception.training.archives import check_archive
from emotion_perception.training.fit.pretrained import AUX_HEAD, weights_for_labels
from emotion_perception.training.recipe import Recipe, recorded_recipe

LAST, BEST, BEFORE_RESTART = "last.ckpt", "best.ckpt", "before_restart.ckpt"
RUN, METRICS, TEACHER, TENSORBOARD = "run.json", "metrics.csv", "teacher.npz", "tensorboard"
_CHECKPOINT_KEYS = {
    "state_dict": dict,
    "epoch": int,
    "callbacks": dict,
    "loops": dict,
    "lr_schedulers": list,
    "optimizer_states": list,
}
_NETWORK = "network."


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """The content of run.json; each attribute is a key of the file.

    Attributes:
        recipe: hyperparameters.
        data: path of the dataset as it was given.
        num_train_images: number of training images.
        train_split: name of the training split.
        val_split: name of the validation split.
        started: time of the first start, ISO 8601.
        pretrained_sha256: hash of the pretrained weights; None for random ones.
        teacher_sha256: hash of the teacher's weights, of several with spaces between; None without a teacher.
        data_sha256: hash of the images, labels and votes that the run uses; None in runs of earlier versions.
        torch: version of torch.
    """

    recipe: Recipe
    data: Path
    num_train_images: int
    train_split: str
    val_split: str
    started: str
    pretrained_sha256: str | None = None
    teacher_sha256: str | None = None
    data_sha256: str | None = None
    torch: str = ""


def load_run(folder: Path) -> TrainingRun:
    """Reads run.json, also that of an earlier version.

    Raises:
        ModelFileError: the file is missing.
        ModelBundleError: it is not a file that `train` writes.
    """
    path = folder / RUN
    try:
        values = with_present_names(json.loads(read_text(path)), RUN_KEYS)
        known = {entry.name: values[entry.name] for entry in fields(TrainingRun) if entry.name in values}
        recipe = recorded_recipe(values["recipe"], str(path))
        return TrainingRun(**known | {"recipe": recipe, "data": Path(values["data"])})
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such file; give the folder that `emotion-perception train` wrote") from None
    except OSError as e:
        raise ModelFileError(f"{path}: {e.strerror}") from e
    except KeyError as e:
        raise ModelBundleError(f"{path}: not the description of a run (it lacks {e})") from e
    except (ValueError, TypeError, AttributeError, RecursionError) as e:
        raise ModelBundleError(f"{path}: not the description of a run ({one_line(e)})") from e


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a Lightning checkpoint without running any code in it.

    Raises:
        ModelFileError: there is no such file.
        ModelBundleError: it is cut short, beyond the limits of `check_archive`, contains other objects than tensors
            and plain values, or is not that of a run.
    """
    if not path.exists():
        raise ModelFileError(f"{path}: no such file; has the run finished its first epoch?")
    if path.is_file() and not path.stat().st_size:
        raise ModelBundleError(f"{path}: not a readable checkpoint (it is empty)")
    try:
        check_archive(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (zipfile.BadZipFile, RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError, OSError) as e:
        raise ModelBundleError(f"{path}: not a readable checkpoint ({one_line(e)})") from e
    if not isinstance(content, dict) or "state_dict" not in content:
        raise ModelBundleError(f"{path}: has no state_dict")
    for key, kind in _CHECKPOINT_KEYS.items():
        if not isinstance(content.get(key), kind):
            raise ModelBundleError(f"{path}: not a checkpoint of a run ({key} is not of type {kind.__name__})")
    for name, tensor in content["state_dict"].items():
        if not isinstance(name, str) or not _is_of_numpy(tensor):
            raise ModelBundleError(f"{path}: not a checkpoint of a run (state_dict: {clipped(str(name))})")
    return content


def _is_of_numpy(tensor: Any) -> bool:
    """Returns whether a value is a dense tensor of a type that numpy has, without a graph."""
    try:
        return isinstance(tensor, torch.Tensor) and tensor.numpy() is not None
    except (TypeError, RuntimeError):
        return False


def network_weights(checkpoint: Mapping[str, Any]) -> dict[str, NDArray[np.generic]]:
    """Returns the averaged weights of the network in a checkpoint, without the auxiliary head."""
    return {
        name.removeprefix(_NETWORK): tensor.numpy()
        for name, tensor in checkpoint["state_dict"].items()
        if name.startswith(_NETWORK) and not name.startswith(_NETWORK + AUX_HEAD)
    }


def exported_weights(folder: Path, recipe: Recipe) -> tuple[dict[str, NDArray[np.generic]], int]:
    """Returns the weights with which a run is exported, and their epoch (counted from 0).

    These are the best epoch's, or where the recipe has a `soup_weight` the average of the last epoch's with those
    before the last restart or the pretrained ones (a model soup). A run that ended before its last restart, e.g. by
    `early_stopping`, has no such weights.

    Raises:
        ModelFileError, ModelBundleError: see `read_checkpoint`, or the pretrained model has changed since the run.
    """
    restart = recipe.last_restart()
    if recipe.soup_weight and (restart is not None or recipe.pretrained):
        checkpoint = read_checkpoint(folder / LAST)
        weights, epoch = network_weights(checkpoint), int(checkpoint["epoch"])
        if restart is None:
            return _average(_pretrained_weights(folder, weights), weights, recipe.soup_weight), epoch
        if epoch >= restart:
            first = network_weights(read_checkpoint(folder / BEFORE_RESTART))
            return _average(first, weights, recipe.soup_weight), epoch
    checkpoint = read_checkpoint(folder / BEST)
    return network_weights(checkpoint), int(checkpoint["epoch"])


def _pretrained_weights(folder: Path, last: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    run = load_run(folder)
    model = load_model_bundle(run.recipe.pretrained)
    if model.sha256 != run.pretrained_sha256:
        raise ModelBundleError(f"{model.weights}: not the weights that the run in {folder} started with")
    return weights_for_labels(model, run.recipe.labels, last)


def _average(
    first: Mapping[str, NDArray[Any]], last: Mapping[str, NDArray[Any]], weight: float
) -> dict[str, NDArray[np.generic]]:
    return {name: (weight * first[name] + (1 - weight) * last[name]).astype(last[name].dtype) for name in last}
