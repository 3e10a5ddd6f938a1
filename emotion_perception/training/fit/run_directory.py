# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads what `train` left in a run's folder: run.json and the Lightning checkpoints."""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emotion_perception.core.classification.model_bundle import load_model_bundle
from emotion_perception.core.errors import ConfigurationError, ModelBundleError, ModelFileError, one_line
from emotion_perception.training.fit.pretrained import weights_over
from emotion_perception.training.recipe import Recipe, recipe_from

LAST, BEST, BEFORE, RUN = "last.ckpt", "best.ckpt", "before_restart.ckpt", "run.json"
_NETWORK, _AUX = "network.", "network.aux_head."


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        recipe: its hyper-parameters.
        data: path of its data file, as it was given.
        pictures_learnt: how many images it learns from.
        train_split: split to learn from.
        val_split: split that chooses the epoch.
        started: time of its first start, ISO 8601.
        initial_sha256: hash of the weights that it began with; None where they were random.
        teacher_sha256: hash of the teacher's weights; None without one.
    """

    recipe: Recipe
    data: Path
    num_train_images: int
    train_split: str
    val_split: str
    started: str
    initial_sha256: str | None = None
    teacher_sha256: str | None = None


def load_run(folder: Path) -> Run:
    """Reads run.json.

    Raises:
        ModelFileError: there is none.
        ModelBundleError: it is not what `train` writes.
    """
    path = folder / RUN
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Run(
            recipe=recipe_from(values["recipe"], str(path)),
            data=Path(values["data"]),
            num_train_images=int(values["pictures_learnt"]),
            train_split=str(values["train_split"]),
            val_split=str(values["val_split"]),
            started=str(values["started"]),
            initial_sha256=values.get("initial_sha256"),
            teacher_sha256=values.get("teacher_sha256"),
        )
    except OSError:
        raise ModelFileError(f"{path}: no such file; give the folder that `emotion-perception train` wrote") from None
    except (ValueError, KeyError, TypeError) as e:
        raise ModelBundleError(f"{path}: not the description of a run ({type(e).__name__}: {e})") from e


def check_same_recipe(folder: Path, recipe: Recipe) -> None:
    """Refuses to go on with a run under another recipe; more epochs are another schedule, so they are another recipe.

    Raises:
        ConfigurationError: the recipes differ; the message names the keys.
    """
    if not (folder / RUN).is_file():
        return
    before, now = load_run(folder).recipe.as_dict(), recipe.as_dict()
    if changed := [key for key in sorted(now) if _plain(now[key]) != _plain(before[key])]:
        names = ", ".join(changed)
        raise ConfigurationError(f"{folder} holds a run with another {names}: choose another --out or give --no-resume")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Opens a Lightning checkpoint without running any code in it.

    Raises:
        ModelFileError: there is no such file.
        ModelBundleError: it is cut short or holds something other than tensors and plain values.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: no such file; has the run finished its first epoch?")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError, OSError) as e:
        raise ModelBundleError(f"{path}: not a readable checkpoint ({one_line(e)})") from e
    if not isinstance(content, dict) or "state_dict" not in content:
        raise ModelBundleError(f"{path}: holds no state_dict")
    return content


def network_weights(checkpoint: Mapping[str, Any]) -> dict[str, NDArray[np.generic]]:
    """Returns the averaged weights of the network alone, without the second head."""
    return {
        name.removeprefix(_NETWORK): tensor.numpy()
        for name, tensor in checkpoint["state_dict"].items()
        if name.startswith(_NETWORK) and not name.startswith(_AUX)
    }


def exported_weights(folder: Path, recipe: Recipe) -> tuple[dict[str, NDArray[np.generic]], int]:
    """Returns the weights that a run is exported with, and their epoch (counted from 0).

    Raises:
        ModelFileError, ModelBundleError: see `read_checkpoint`, or the initial model is no longer that of the run.
    """
    restarted = recipe.last_restart() is not None
    blended = bool(recipe.blend) and (restarted or bool(recipe.initial))
    checkpoint = read_checkpoint(folder / (LAST if blended else BEST))
    weights = network_weights(checkpoint)
    if blended:
        before = network_weights(read_checkpoint(folder / BEFORE)) if restarted else _initial_weights(folder, weights)
        weights = _between(before, weights, recipe.blend)
    return weights, int(checkpoint["epoch"])


def _initial_weights(folder: Path, last: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    run = load_run(folder)
    model = load_model_bundle(run.recipe.initial)
    if model.sha256 != run.initial_sha256:
        raise ModelBundleError(f"{model.weights}: not the weights that the run in {folder} began with")
    return weights_over(model, run.recipe.labels, last)


def _between(
    before: Mapping[str, NDArray[Any]], last: Mapping[str, NDArray[Any]], share: float
) -> dict[str, NDArray[np.generic]]:
    return {name: (share * before[name] + (1 - share) * last[name]).astype(last[name].dtype) for name in last}


def _plain(value: Any) -> Any:
    """Returns the value as it looks after a journey through JSON."""
    return json.loads(json.dumps(value))
