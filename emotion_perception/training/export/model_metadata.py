# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What an exported model says about itself: data, training, terms, what it is for, and how good it is."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from emotion_perception.core.classification.classifier import EmotionClassifier
from emotion_perception.core.classification.labels import LABELS
from emotion_perception.reporting.metrics import Predictions, summarize
from emotion_perception.reporting.provenance import command_line, now, package_version
from emotion_perception.training.data_hash import data_sha256
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.evaluate.evaluator import predict
from emotion_perception.training.evaluate.summary_metrics import subsets
from emotion_perception.training.fit.run_directory import Run
from emotion_perception.training.fit.train import Parts

_TERMS = {  # by how the name of the data begins
    "fer2013": "FER-2013: the rights in its images, collected from the web, are unresolved; research use.",
    "ckplus": "CK+: non-commercial research, no redistribution of the images.",
    "cohn-kanade": "CK+: non-commercial research, no redistribution of the images.",
    "utkface": "UTKFace: non-commercial research; its images belong to their owners.",
    "imdb": "IMDB-WIKI: academic research; its images belong to their owners.",
    "wiki": "IMDB-WIKI: academic research; its images belong to their owners.",
}
_VOTES = "FER+ votes: MIT."
_NOT_INSIDE = "The images are not contained in the weights' files."
_EMOTIONS = {*LABELS, "contempt"}
_EXPRESSION = (
    "Names the expression that a face shows in one image: {classes}. What it has learnt is what people said about "
    "images, and they often disagree. An expression is not a feeling, and this is not a means to judge a person. Not "
    "examined for equal accuracy across age, gender or skin color. The EU AI Act, Art. 5(1)(f), prohibits inferring "
    "emotions at work and in education."
)
_GENDER = (
    "Tells whether people would call the person on an image a {classes}, from the face alone. That is a guess about a "
    "image, not a fact about a person, and not a means to judge one. Not examined for equal accuracy across age or "
    "skin color. The EU AI Act, Annex III, counts sorting people by protected traits among the uses of high risk."
)
_OTHER = "Tells {classes} apart in one image of the kind that it has learnt from; it was examined on no other."


def metadata_of(
    run: Run, epoch: int, data_path: Path, data: FaceDataset, parts: Parts, network: nn.Module
) -> dict[str, Any]:
    """Returns the part of a model's metadata that does not depend on its figures.

    Args:
        run: the training.
        epoch: of the exported weights, counted from 0.
        data_path: the data's place now.
        data: all that was read from there.
        parts: what became of it.
        network: with the exported weights.
    """
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "data": {
            "file": data_path.name,
            "sha256": data_sha256(data_path, progress=True),
            "learnt_from": None if data.splits is None else run.train_split,
            "pictures_learnt": len(parts.learn),
            "left_out": left_out(run, data, parts),
            "kept_apart_for_calibration": len(parts.holdout),
            "epoch_chosen_on": chosen_on(run, data),
            "hyper_parameters_chosen_on": chosen_on(run, data),
        },
        "recipe": run.recipe.as_dict(),
        "initial_sha256": run.initial_sha256,
        "teacher_sha256": run.teacher_sha256,
        "epoch": epoch,
        "started": run.started,
        "exported": now(),
        "command": command_line(),
        "package_version": package_version(),
        "torch": str(torch.__version__),
        "terms": terms_of(data_path, data),
        "intended_use": intended_use(tuple(run.recipe.labels)),
    }


def answers_of(classifier: EmotionClassifier, data: FaceDataset) -> Predictions:
    """Returns what a model says to every image."""
    return Predictions(predict(classifier, data, progress=True), data.labels_in(classifier.labels), classifier.labels)


def metrics_of(answers: Predictions, data: FaceDataset, measured_on: str) -> dict[str, Any]:
    """Returns the figures that a model's description holds."""
    return {"split": measured_on, **summarize(answers), "subsets": subsets(answers, data)}


def chosen_on(run: Run, data: FaceDataset) -> str:
    """Returns what chose the epoch: a split, or the part that was divided off what there was to learn from."""
    if not _divided_off(run, data):
        return run.val_split
    return "a tenth of the people" if data.subjects is not None else "a tenth of the images"


def left_out(run: Run, data: FaceDataset, parts: Parts) -> str:
    """Returns how many images were not learnt from although they were there to be, and why that may be."""
    there = len(data if data.splits is None else data.split(run.train_split))
    if _divided_off(run, data):
        there -= len(parts.choose)
    reasons = ["are blank"]
    if data.rejected is not None:
        reasons.append("no tagger saw as a face")
    if data.leak is not None:
        reasons.append("also stand in a test split")
    if run.recipe.ignore_classes:
        reasons.append(f"show {', '.join(run.recipe.ignore_classes)}")
    if run.recipe.balance == "downsample":
        reasons.append("are more than the smallest class has")
    unread = "".join(f"; when it was read, {problem}" for problem in data.problems)
    return f"{there - len(parts.learn) - len(parts.holdout)} images that {' or that '.join(reasons)}{unread}"


def terms_of(data_path: Path, data: FaceDataset) -> str:
    """Returns under which terms the data may be used, as far as its name tells."""
    name = data_path.name.lower()
    known = next((terms for begin, terms in _TERMS.items() if name.startswith(begin)), "Those of the data.")
    return " ".join([known, *([_VOTES] if data.votes is not None else []), _NOT_INSIDE])


def intended_use(labels: tuple[str, ...]) -> str:
    """Returns what a network with these labels is for, and what it is not."""
    text = _EXPRESSION if set(labels) <= _EMOTIONS else _GENDER if set(labels) == {"woman", "man"} else _OTHER
    joined = " or a ".join(labels) if text is _GENDER else ", ".join(labels)
    return text.format(classes=joined)


def _divided_off(run: Run, data: FaceDataset) -> bool:
    """Returns whether what chose the epoch is a part of what there was to learn from."""
    return data.splits is None or not run.val_split
