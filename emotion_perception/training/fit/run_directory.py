# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The directory of a training run: run.json, Lightning checkpoints and metrics.csv."""

import json
import logging
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emotion_perception.core.classification import load_model_bundle
from emotion_perception.core.errors import ConfigurationError, ModelBundleError, ModelFileError, one_line
from emotion_perception.core.retired_names import RUN_KEYS, with_present_names
from emotion_perception.reporting.provenance import now
from emotion_perception.training.fit.pretrained import weights_for_labels
from emotion_perception.training.recipe import Recipe, recorded_recipe

LAST, BEST, BEFORE_RESTART = "last.ckpt", "best.ckpt", "before_restart.ckpt"
RUN, METRICS = "run.json", "metrics.csv"
_NETWORK, _AUX_HEAD = "network.", "network.aux_head."
_log = logging.getLogger(__name__)


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
        teacher_sha256: hash of the teacher's weights; None without a teacher.
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
    torch: str = ""


def start_run(
    out: Path, recipe: Recipe, *, data_path: Path, num_train_images: int, train_split: str, val_split: str, resume: bool
) -> Path | None:
    """Creates the directory of a run, or continues the run in it.

    Args:
        out: the directory.
        recipe: hyperparameters, pixel statistics included.
        data_path: path of the dataset.
        num_train_images: number of training images.
        train_split: name of the training split.
        val_split: name of the validation split.
        resume: continue a run that is there; otherwise its files are deleted.

    Returns:
        The checkpoint to resume from; None for a new run.

    Raises:
        ConfigurationError: the directory holds a run with another recipe.
        ModelBundleError: its last checkpoint is damaged.
    """
    out.mkdir(parents=True, exist_ok=True)
    last = out / LAST
    if resume and last.is_file():
        check_same_recipe(out, recipe)
        done = read_checkpoint(last)["epoch"] + 1
        _log.info("resuming from %s, after epoch %d of %d", last, done, recipe.epochs)
        return last
    for name in (LAST, BEST, BEFORE_RESTART, METRICS):
        (out / name).unlink(missing_ok=True)
    run = TrainingRun(
        recipe=recipe,
        data=data_path,
        num_train_images=num_train_images,
        train_split=train_split,
        val_split=val_split,
        started=now(),
        pretrained_sha256=load_model_bundle(recipe.pretrained).sha256 if recipe.pretrained else None,
        teacher_sha256=load_model_bundle(recipe.teacher).sha256 if recipe.teacher else None,
        torch=torch.__version__,
    )
    values = asdict(run) | {"recipe": recipe.as_dict(), "data": str(data_path)}
    (out / RUN).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    return None


def load_run(folder: Path) -> TrainingRun:
    """Reads run.json, also that of an earlier version.

    Raises:
        ModelFileError: the file is missing.
        ModelBundleError: it is not a file that `train` writes.
    """
    path = folder / RUN
    try:
        values = with_present_names(json.loads(path.read_text(encoding="utf-8")), RUN_KEYS)
        known = {entry.name: values[entry.name] for entry in fields(TrainingRun) if entry.name in values}
        recipe = recorded_recipe(values["recipe"], str(path))
        return TrainingRun(**known | {"recipe": recipe, "data": Path(values["data"])})
    except OSError:
        raise ModelFileError(f"{path}: no such file; give the folder that `emotion-perception train` wrote") from None
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise ModelBundleError(f"{path}: not the description of a run ({type(e).__name__}: {e})") from e


def check_same_recipe(folder: Path, recipe: Recipe) -> None:
    """Refuses to resume a run with another recipe; another number of epochs is another schedule, too.

    Raises:
        ConfigurationError: the recipes differ; the message names the keys.
    """
    if not (folder / RUN).is_file():
        return
    before, now_given = load_run(folder).recipe.as_dict(), recipe.as_dict()
    if changed := [key for key in sorted(now_given) if _as_json(now_given[key]) != _as_json(before[key])]:
        names = ", ".join(changed)
        raise ConfigurationError(f"{folder} holds a run with another {names}: give another --out or --no-resume")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a Lightning checkpoint without running any code in it.

    Raises:
        ModelFileError: there is no such file.
        ModelBundleError: it is cut short, or contains other objects than tensors and plain values.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: no such file; has the run finished its first epoch?")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError, OSError) as e:
        raise ModelBundleError(f"{path}: not a readable checkpoint ({one_line(e)})") from e
    if not isinstance(content, dict) or "state_dict" not in content:
        raise ModelBundleError(f"{path}: has no state_dict")
    return content


def network_weights(checkpoint: Mapping[str, Any]) -> dict[str, NDArray[np.generic]]:
    """Returns the averaged weights of the network in a checkpoint, without the auxiliary head."""
    return {
        name.removeprefix(_NETWORK): tensor.numpy()
        for name, tensor in checkpoint["state_dict"].items()
        if name.startswith(_NETWORK) and not name.startswith(_AUX_HEAD)
    }


def exported_weights(folder: Path, recipe: Recipe) -> tuple[dict[str, NDArray[np.generic]], int]:
    """Returns the weights with which a run is exported, and their epoch (counted from 0).

    These are the best epoch's, or where the recipe has a `soup_weight` the average of the last epoch's with those
    before the last restart or the pretrained ones (a model soup).

    Raises:
        ModelFileError, ModelBundleError: see `read_checkpoint`, or the pretrained model has changed since the run.
    """
    restarted = recipe.last_restart() is not None
    is_soup = bool(recipe.soup_weight) and (restarted or bool(recipe.pretrained))
    checkpoint = read_checkpoint(folder / (LAST if is_soup else BEST))
    weights = network_weights(checkpoint)
    if is_soup:
        before_restart = folder / BEFORE_RESTART
        first = network_weights(read_checkpoint(before_restart)) if restarted else _pretrained_weights(folder, weights)
        weights = _average(first, weights, recipe.soup_weight)
    return weights, int(checkpoint["epoch"])


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


def _as_json(value: Any) -> Any:
    """Returns the value as JSON stores it."""
    return json.loads(json.dumps(value))
