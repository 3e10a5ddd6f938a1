# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cross-validation: every image of a small dataset is predicted by a network that was not trained on its subject."""

import json
import logging
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from emotion_perception.core.assets import file_sha256
from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.classification import softmax
from emotion_perception.core.errors import DatasetError
from emotion_perception.reporting.metrics import Predictions, confusion_matrix, per_class, summarize
from emotion_perception.reporting.output_folder import OutputFolder
from emotion_perception.reporting.provenance import command_line, now
from emotion_perception.training.architectures import build_network
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.datasets.face_dataset import RECIPE_HINT
from emotion_perception.training.evaluate.prediction import network_logits
from emotion_perception.training.fit.data_splits import DataSplits, iterate_folds, with_pixel_statistics
from emotion_perception.training.fit.hardware import AUTO, Hardware, set_num_threads
from emotion_perception.training.fit.run_directory import LAST, network_weights, read_checkpoint
from emotion_perception.training.fit.run_start import (
    files_of_run,
    is_first_process,
    open_run_folder,
    start_run,
)
from emotion_perception.training.fit.training_loop import fit
from emotion_perception.training.recipe import Recipe

SUMMARY = "folds.json"
_log = logging.getLogger(__name__)


def cross_validate(
    recipe: Recipe,
    data_path: Path,
    out: Path,
    *,
    num_folds: int = 5,
    split: str | None = None,
    hardware: Hardware = AUTO,
    num_threads: int = 0,
    resume: bool = True,
) -> dict[str, Any]:
    """Trains one network for each fold in `out/fold_K` and writes `out/folds.json`; a stopped run is resumed.

    Where the dataset has subjects, all images of a subject are in the same fold. A fold is measured with the weights of
    the last epoch: selecting the epoch on the measured images would overestimate the accuracy.

    Args:
        recipe: hyperparameters.
        data_path: file or folder of the dataset, see `datasets`.
        out: directory, created if absent.
        num_folds: number of folds, at least 2.
        split: name of the split to use; ignored where the dataset has no splits.
        hardware: device, precision and number of processes.
        num_threads: threads of torch; 0 keeps torch's default.
        resume: resume what an earlier call has not finished.

    Returns:
        The content of folds.json: `accuracy` is the mean over the folds, `accuracy_deviation` its standard deviation,
        `folds` the metrics of each fold, `pooled` those of all predictions together.

    Raises:
        DatasetError: the dataset cannot be read, or has fewer images or subjects than folds.
        ConfigurationError: the directory holds folds of another recipe or other data, or other files than those of a
            cross-validation; or another process writes there.
    """
    set_num_threads(num_threads)
    if num_folds < 2:
        raise DatasetError(f"cross-validation needs at least 2 folds, not {num_folds}")
    with _output_folder(out, data_path) as output:
        if output is not None and not resume:
            output.remove(SUMMARY, *(path.name for path in out.glob("fold_*")))
        data = load_dataset(data_path, **recipe.data)
        if data.splits is not None:
            data = data.split(split, option="--train-split")
        if recipe.ignore_classes:
            data = data.without_classes(recipe.ignore_classes)
        found: list[Predictions] = []
        for number, (train, validation) in enumerate(iterate_folds(data, num_folds, recipe.seed)):
            nothing = train.select(np.zeros(len(train), bool))
            splits = DataSplits(train.usable_for_training(), nothing, validation).disjoint()
            splits.check(f"{data_path}, fold {number + 1} of {num_folds}")
            _log.info("fold %d of %d: %s", number + 1, num_folds, splits.counts())
            fold_recipe = with_pixel_statistics(recipe, splits.train)
            if output is not None:
                output.claim(f"fold_{number}")
            with open_run_folder(out / f"fold_{number}", inputs=[data_path]) as folder:
                names = {"train_split": f"all but fold {number}", "val_split": f"fold {number}"}
                checkpoint = start_run(folder, fold_recipe, splits, data_path=data_path, **names, resume=resume)
                if checkpoint is None or read_checkpoint(checkpoint)["epoch"] + 1 < fold_recipe.epochs:
                    fit(fold_recipe, splits, folder.path, hardware=hardware, checkpoint=checkpoint)
                found.append(_predict(fold_recipe, folder.path, validation))
        summary = _summary(recipe, data_path, found)
        if output is not None:
            output.claim(SUMMARY)
            write_atomically(out / SUMMARY, json.dumps(summary, indent=2) + "\n")
    return summary


def _output_folder(out: Path, data_path: Path) -> AbstractContextManager[OutputFolder | None]:
    """Returns the owner of the output folder; None in the further processes of a run."""
    if not is_first_process():
        return nullcontext()
    return OutputFolder(
        out, "train --folds", writes=(SUMMARY, "fold_*"), inputs=[data_path], earlier=_files_of_earlier_version
    )


def _files_of_earlier_version(folder: Path) -> list[str]:
    folds = [path.name for path in folder.glob("fold_*") if files_of_run(path)]
    return [*folds, SUMMARY] if folds else []


def _predict(recipe: Recipe, folder: Path, data: FaceDataset) -> Predictions:
    """Returns the predictions of a fold's network, with its last weights, for the images of the fold."""
    spec = recipe.model_spec()
    network = build_network(spec, network_weights(read_checkpoint(folder / LAST)))
    probabilities = softmax(network_logits(network, data.images, spec))
    return Predictions(probabilities, data.labels_in(spec.labels, hint=RECIPE_HINT), spec.labels)


def _summary(recipe: Recipe, data_path: Path, found: list[Predictions]) -> dict[str, Any]:
    folds = [summarize(predictions) for predictions in found]
    accuracies = np.array([fold["accuracy"] for fold in folds])
    pooled = Predictions(
        np.concatenate([predictions.probabilities for predictions in found]),
        np.concatenate([predictions.truth for predictions in found]),
        found[0].labels,
    )
    confusion = confusion_matrix(pooled)
    return {
        "accuracy": round(float(accuracies.mean()), 6),
        "accuracy_deviation": round(float(accuracies.std(ddof=1)), 6),
        "folds": [{key: fold[key] for key in ("n", "accuracy", "balanced_accuracy", "macro_f1")} for fold in folds],
        "pooled": {
            **summarize(pooled),
            "per_class": per_class(confusion, pooled.labels),
            "confusion": confusion.tolist(),
            "labels": list(pooled.labels),
        },
        "recipe": recipe.as_dict(),
        "data": data_path.name,
        "data_sha256": file_sha256(data_path) if data_path.is_file() else None,
        "command": command_line(),
        "finished": now(),
    }
