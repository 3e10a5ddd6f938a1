# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fits the temperature that makes a model's scores mean what they say (Guo et al. 2017)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import EmotionClassifier, create_classifier, softmax
from emotion_perception.core.classification.model_bundle import load_model_bundle, replace_spec
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.reporting.metrics import Predictions, calibration_error
from emotion_perception.training.datasets import FaceDataset, load_dataset

_LOWEST, _HIGHEST = 0.05, 20.0
_GOLDEN = (math.sqrt(5) - 1) / 2
_STEPS = 60  # of golden section: the interval shrinks to 1e-12
_BATCH = 128


def calibrate(
    config: ClassifierConfig,
    data_path: Path,
    *,
    split: str | None = None,
    ignore_classes: Sequence[str] = (),
    data_options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Fits a model's temperature on a data file and writes it into the model's description.

    The images should be none that the model learnt from and none that it will be measured on. `export` does this by
    itself on the part of the training images that training kept apart.

    Returns:
        `temperature`, `n`, and `nll` and `ece` before and after.

    Raises:
        ConfigurationError: the model is a shipped one, given by name.
        ModelFileError, ModelBundleError: the model cannot be opened.
        DatasetError: the data file is not in the format.
    """
    if Path(config.model).suffix == "":
        raise ConfigurationError(f"calibrate changes the model's .json: give a path, not the name '{config.model}'")
    checkpoint = load_model_bundle(config.model)
    data = load_dataset(data_path, **(data_options or {})).split(split)
    if ignore_classes:
        data = data.without_classes(ignore_classes)
    figures = fit(create_classifier(config), data)
    metadata = {**checkpoint.spec.metadata, "calibration": {"data": data_path.name, "split": split, **figures}}
    replace_spec(checkpoint, replace(checkpoint.spec, temperature=figures["temperature"], metadata=metadata))
    return figures


def fit(classifier: EmotionClassifier, data: FaceDataset) -> dict[str, Any]:
    """Fits the temperature of a classifier on labeled faces.

    The fitted temperature has the lowest likelihood loss. It is taken where it lowers the calibration error of the same
    images, too; else the temperature stays 1.

    Returns:
        `temperature`, `n`, `fitted`, `nll_before`, `nll_after`, `ece_before`, `ece_after`; before means temperature 1,
        after the fitted one.

    Raises:
        DatasetError: there is no image.
    """
    if not len(data):
        raise DatasetError("there is no image to fit the temperature on")
    truth = data.labels_in(classifier.labels)
    batches = [list(data.images[k : k + _BATCH]) for k in range(0, len(data), _BATCH)]
    logits = np.concatenate([classifier.logits(batch) for batch in batches])
    fitted = round(fit_temperature(logits, truth), 6)
    figures: dict[str, Any] = {"temperature": fitted, "n": len(data), "fitted": fitted}
    for when, value in (("before", 1.0), ("after", fitted)):
        answers = Predictions(softmax(logits, value), truth, classifier.labels)
        figures[f"nll_{when}"] = round(nll(logits, truth, value), 6)
        figures[f"ece_{when}"] = round(calibration_error(answers), 6)
    if figures["ece_after"] >= figures["ece_before"]:
        figures["temperature"] = 1.0
    return figures


def in_words(figures: Mapping[str, Any]) -> str:
    """Returns one line about what `fit` found."""
    change = f"ECE {figures['ece_before']:.2%} -> {figures['ece_after']:.2%}"
    if figures["temperature"] == figures["fitted"]:
        return f"temperature {figures['temperature']:.4f} from {figures['n']} images: {change}"
    return f"temperature stays 1: {figures['fitted']:.4f}, fitted to {figures['n']} images, would not help, {change}"


def fit_temperature(logits: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Returns the temperature within 0.05..20 with the lowest mean negative log-likelihood.

    Golden section on the logarithm: the loss is convex in 1/T, so it has one minimum.
    """
    low, high = math.log(_LOWEST), math.log(_HIGHEST)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if nll(logits, truth, math.exp(left)) < nll(logits, truth, math.exp(right)):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def nll(logits: NDArray[np.float32], truth: NDArray[np.int64], temperature: float) -> float:
    """Returns the mean negative log-likelihood of the truth under softmax(logits / temperature)."""
    scaled = logits.astype(np.float64) / temperature
    highest = scaled.max(axis=1)
    total = highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))
    return float((total - scaled[np.arange(len(truth)), truth]).mean())
