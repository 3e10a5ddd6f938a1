# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Metadata of an exported model: data, training, terms of use, intended use and metrics."""

from pathlib import Path
from typing import Any

import torch

from emotion_perception.core.classification import LABELS
from emotion_perception.reporting.metrics import Predictions, summarize
from emotion_perception.reporting.provenance import command_line, now, package_version
from emotion_perception.training.data_hash import data_sha256
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.evaluate.summary_metrics import subsets
from emotion_perception.training.fit.data_splits import DataSplits, splits_sha256
from emotion_perception.training.fit.run_directory import TrainingRun

_TERMS = {  # prefix of the dataset's file name -> its terms of use
    "fer2013": "FER-2013: the rights in its images, collected from the web, are unresolved; research use.",
    "ckplus": "CK+: non-commercial research, no redistribution of the images.",
    "cohn-kanade": "CK+: non-commercial research, no redistribution of the images.",
    "utkface": "UTKFace: non-commercial research; its images belong to their owners.",
    "imdb": "IMDB-WIKI: academic research; its images belong to their owners.",
    "wiki": "IMDB-WIKI: academic research; its images belong to their owners.",
}
_VOTES = "FER+ votes: MIT."
_NOT_INSIDE = "The model's files contain no image."
_EMOTIONS = {*LABELS, "contempt"}
_EXPRESSION = (
    "Predicts the expression of a face in one image: {classes}. It was trained on what people said about images, and "
    "they often disagree. An expression is not a feeling, and the prediction is not a means to judge a person. Not "
    "tested for equal accuracy across age, gender or skin color. The EU AI Act, Art. 5(1)(f), prohibits inferring "
    "emotions at work and in education."
)
_GENDER = (
    "Predicts whether people would call the person in an image a {classes}, from the face alone. It is a guess about "
    "an image, not a fact about a person, and not a means to judge one. Not tested for equal accuracy across age or "
    "skin color. The EU AI Act, Annex III, counts sorting people by protected traits among the uses of high risk."
)
_OTHER = "Distinguishes {classes} in images like those that it was trained on; it was tested on no others."


def training_metadata(
    run: TrainingRun, epoch: int, data_path: Path, data: FaceDataset, splits: DataSplits
) -> dict[str, Any]:
    """Returns the metadata of a model about its training.

    Args:
        run: the training run.
        epoch: of the exported weights, counted from 0.
        data_path: present path of the dataset.
        data: the whole dataset.
        splits: the dataset as training has split it.
    """
    return {
        "data": {
            "file": data_path.name,
            "sha256": data_sha256(data_path, progress=True),
            "splits_sha256": splits_sha256(splits),
            "train_split": None if data.splits is None else run.train_split,
            "num_train_images": len(splits.train),
            "left_out": left_out(run, data, splits),
            "num_calibration_images": len(splits.calibration),
            "num_unlabeled_images": 0 if splits.unlabeled is None else len(splits.unlabeled),
            "epoch_selected_on": selected_on(run, data),
            "hyperparameters_selected_on": selected_on(run, data),
        },
        "recipe": run.recipe.as_dict(),
        "pretrained_sha256": run.pretrained_sha256,
        "teacher_sha256": run.teacher_sha256,
        "epoch": epoch,
        "started": run.started,
        **export_metadata(),
        "terms": terms_of(data_path, data),
        "intended_use": intended_use(tuple(run.recipe.labels)),
    }


def export_metadata() -> dict[str, str]:
    """Returns the metadata of a model about its export: when, by which command and with which versions."""
    return {
        "exported": now(),
        "command": command_line(),
        "package_version": package_version(),
        "torch": str(torch.__version__),
    }


def measured_metrics(predictions: Predictions, data: FaceDataset, split: str) -> dict[str, Any]:
    """Returns the metrics in a model's metadata; `split` names the images on which they were measured."""
    return {"split": split, **summarize(predictions), "subsets": subsets(predictions, data)}


def selected_on(run: TrainingRun, data: FaceDataset) -> str:
    """Returns the images on which the epoch was selected: a split, or a part of the training split."""
    if not _splits_off_validation(run, data):
        return run.val_split
    return "a tenth of the people" if data.subjects is not None else "a tenth of the images"


def left_out(run: TrainingRun, data: FaceDataset, splits: DataSplits) -> str:
    """Returns the number of images that were left out of training, and the possible reasons."""
    available = len(data if data.splits is None else data.split(run.train_split))
    if _splits_off_validation(run, data):
        available -= len(splits.validation)
    reasons = ["are blank or repeated"]
    if data.rejected is not None:
        reasons.append("have no face according to all taggers")
    if data.leak is not None:
        reasons.append("are also in a test split")
    if run.recipe.ignore_classes:
        reasons.append(f"show {', '.join(run.recipe.ignore_classes)}")
    if run.recipe.balance == "downsample":
        reasons.append("exceed the size of the smallest class")
    unread = "".join(f"; when the dataset was read: {problem}" for problem in data.problems)
    return f"{available - len(splits.train) - len(splits.calibration)} images that {' or that '.join(reasons)}{unread}"


def terms_of(data_path: Path, data: FaceDataset) -> str:
    """Returns the terms of use of a dataset, identified by its file name."""
    name = data_path.name.lower()
    known = next((terms for begin, terms in _TERMS.items() if name.startswith(begin)), "Those of the dataset.")
    return " ".join([known, *([_VOTES] if data.votes is not None else []), _NOT_INSIDE])


def intended_use(labels: tuple[str, ...]) -> str:
    """Returns the intended use of a model with these labels, and its limits."""
    text = _EXPRESSION if set(labels) <= _EMOTIONS else _GENDER if set(labels) == {"woman", "man"} else _OTHER
    joined = " or a ".join(labels) if text is _GENDER else ", ".join(labels)
    return text.format(classes=joined)


def _splits_off_validation(run: TrainingRun, data: FaceDataset) -> bool:
    """Returns whether the validation images are a part of the training split."""
    return data.splits is None or not run.val_split
