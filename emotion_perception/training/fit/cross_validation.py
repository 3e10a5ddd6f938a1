# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cross-validation: all images of a small data set are measured, each by a network that never saw its person."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emotion_perception.core.assets import file_sha256
from emotion_perception.core.classification.classifier import softmax
from emotion_perception.core.errors import DatasetError
from emotion_perception.reporting.metrics import Predictions, confusion_matrix, per_class, summarize
from emotion_perception.reporting.provenance import command_line, now
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.export.export_formats import logits_of_network, network_of
from emotion_perception.training.fit.hardware import AUTO, Hardware
from emotion_perception.training.fit.run_directory import LAST, network_weights, read_checkpoint
from emotion_perception.training.fit.train import Parts, begin, by_subject, fit, spec_of
from emotion_perception.training.recipe import Recipe

_log = logging.getLogger(__name__)


def cross_validate(
    recipe: Recipe,
    data_path: Path,
    out: Path,
    *,
    folds: int = 5,
    split: str | None = None,
    hardware: Hardware = AUTO,
    num_threads: int = 0,
    resume: bool = True,
) -> dict[str, Any]:
    """Trains one network a fold into `out/fold_K` and writes `folds.json`; a stopped run goes on.

    Where the data has subjects, none is divided among folds. The weights after the last epoch are measured: choosing
    an epoch on the fold that is measured would flatter the figure.

    Args:
        recipe: the hyper-parameters.
        data_path: a file or folder, see `datasets`.
        out: folder, made if absent.
        folds: number of parts.
        split: which split; required where the data has splits.
        hardware: what it runs on.
        num_threads: threads of torch; 0 keeps its choice.
        resume: go on where an earlier call stopped.

    Returns:
        The content of folds.json: `accuracy` is the mean over the folds, `accuracy_deviation` its standard deviation,
        `folds` the figures of each, `pooled` those of all answers together.

    Raises:
        DatasetError: the data cannot be read, or has fewer images or subjects than folds.
        ConfigurationError: the folder holds a run of another recipe.
    """
    if num_threads:
        torch.set_num_threads(num_threads)
    data = load_dataset(data_path, **recipe.data).split(split)
    if recipe.ignore_classes:
        data = data.without_classes(recipe.ignore_classes)
    if folds < 2:
        raise DatasetError(f"{folds} folds are too few to measure one by the others")
    found: list[Predictions] = []
    for number, (learn, apart) in enumerate(by_subject(data, folds, recipe.seed)):
        _log.info("fold %d of %d: %d images to learn from, %d apart", number + 1, folds, len(learn), len(apart))
        parts = Parts(learn.fit_for_training(), learn.select(np.zeros(len(learn), bool)), apart)
        folder = out / f"fold_{number}"
        splits = f"all but fold {number}", f"fold {number}"
        fitted, last = begin(recipe, parts.learn, folder, data_path, *splits, resume=resume)
        if last is None or read_checkpoint(last)["epoch"] + 1 < fitted.epochs:
            fit(fitted, parts, folder, hardware=hardware, last=last)
        found.append(_answers(fitted, folder, apart))
    summary = _summary(recipe, data_path, found)
    (out / "folds.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return summary


def _answers(recipe: Recipe, folder: Path, data: FaceDataset) -> Predictions:
    """Returns what the last weights of a fold say to the images kept apart."""
    spec = spec_of(recipe)
    network = network_of(spec, network_weights(read_checkpoint(folder / LAST)))
    return Predictions(softmax(logits_of_network(network, data.images, spec)), data.labels_in(spec.labels), spec.labels)


def _summary(recipe: Recipe, data_path: Path, found: list[Predictions]) -> dict[str, Any]:
    figures = [summarize(answers) for answers in found]
    accuracies = np.array([entry["accuracy"] for entry in figures])
    pooled = Predictions(
        np.concatenate([answers.probabilities for answers in found]),
        np.concatenate([answers.truth for answers in found]),
        found[0].labels,
    )
    confusion = confusion_matrix(pooled)
    return {
        "accuracy": round(float(accuracies.mean()), 6),
        "accuracy_deviation": round(float(accuracies.std(ddof=1)), 6),
        "folds": [{key: entry[key] for key in ("n", "accuracy", "balanced_accuracy", "macro_f1")} for entry in figures],
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
