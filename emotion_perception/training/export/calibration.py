# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fits a model's calibration temperature (Guo et al. 2017, "On Calibration of Modern Neural Networks")."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import (
    ClassifierOptions,
    EmotionClassifier,
    create_classifier,
    load_model_bundle,
    replace_spec,
    shipped_models,
    softmax,
)
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.reporting.metrics import Predictions, calibration_error
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.evaluate.prediction import classifier_logits

_LOWEST, _HIGHEST = 0.05, 20.0
_GOLDEN = (math.sqrt(5) - 1) / 2
_STEPS = 60  # of golden section; the interval shrinks to 1e-12
_log = logging.getLogger(__name__)


def calibrate(
    options: ClassifierOptions,
    data_path: Path,
    *,
    split: str | None = None,
    ignore_classes: Sequence[str] = (),
    data_options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Fits a model's temperature on a dataset and writes it into the model's description.

    The images should be neither training images of the model nor images on which it will be evaluated. `export` fits
    the temperature on the calibration images of the training run. Blank images, images without a face and images that
    also stand in a later split are left out.

    Args:
        options: model and device.
        data_path: file or folder of the dataset, see `datasets`.
        split: name of the split; required where the dataset has splits.
        ignore_classes: classes whose images are left out.
        data_options: keyword arguments of `load_dataset`.

    Returns:
        See `fit_calibration`.

    Raises:
        ConfigurationError: the model is a shipped one, given by name.
        ModelFileError, ModelBundleError: the model cannot be opened.
        DatasetError: the dataset cannot be read.
    """
    if options.model in shipped_models():
        raise ConfigurationError(
            f"calibrate changes the model's .json: give the path of a copy, not the name '{options.model}'"
        )
    bundle = load_model_bundle(options.model)
    data = load_dataset(data_path, **(data_options or {})).split(split)
    if ignore_classes:
        data = data.without_classes(ignore_classes)
    usable = data.usable_for_training()
    if len(usable) < len(data):
        _log.warning("%d images are left out: blank, without a face, or in a later split, too", len(data) - len(usable))
    if absent := sorted(set(bundle.spec.labels) - {data.class_names[label] for label in set(usable.labels.tolist())}):
        _log.warning("no image of %s: the temperature is that of the other classes", ", ".join(absent))
    classifier = create_classifier(options)
    classifier.warm_up()
    calibration = fit_calibration(classifier, usable)
    metadata = {**bundle.spec.metadata, "calibration": {"data": data_path.name, "split": split, **calibration}}
    replace_spec(bundle, replace(bundle.spec, temperature=calibration["temperature"], metadata=metadata))
    return calibration


def fit_calibration(classifier: EmotionClassifier, data: FaceDataset) -> dict[str, Any]:
    """Fits the temperature of a classifier on labeled images.

    The fitted temperature minimizes the negative log-likelihood. It is used only if it also lowers the calibration
    error of these images; otherwise the temperature is 1.

    Returns:
        `temperature`, `n`, `fitted`, `nll_before`, `nll_after`, `ece_before`, `ece_after`; before is with temperature
        1, after with the fitted one.

    Raises:
        DatasetError: there is no image.
    """
    if not len(data):
        raise DatasetError("no image to fit the temperature on")
    truth = data.labels_in(classifier.labels)
    with progress_bar(len(data), "fitting the temperature", shown=False) as bar:
        logits = classifier_logits(classifier, data.images, bar)
    fitted = round(fit_temperature(logits, truth), 6)
    calibration: dict[str, Any] = {"temperature": fitted, "n": len(data), "fitted": fitted}
    for when, value in (("before", 1.0), ("after", fitted)):
        predictions = Predictions(softmax(logits, value), truth, classifier.labels)
        calibration[f"nll_{when}"] = round(nll(logits, truth, value), 6)
        calibration[f"ece_{when}"] = round(calibration_error(predictions), 6)
    if calibration["ece_after"] >= calibration["ece_before"]:
        calibration["temperature"] = 1.0
    return calibration


def summary_line(calibration: Mapping[str, Any]) -> str:
    """Returns a line with the result of `fit_calibration`."""
    change = f"ECE {calibration['ece_before']:.2%} -> {calibration['ece_after']:.2%}"
    if calibration["temperature"] == calibration["fitted"]:
        return f"temperature {calibration['temperature']:.4f} from {calibration['n']} images: {change}"
    return (
        f"temperature stays 1: {calibration['fitted']:.4f}, fitted to {calibration['n']} images, is no better, {change}"
    )


def fit_temperature(logits: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Returns the temperature in 0.05..20 with the lowest mean negative log-likelihood.

    Golden section search over log T; the loss is convex in 1/T, so it has one minimum.
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
    """Returns the mean negative log-likelihood of the true labels under softmax(logits / temperature)."""
    scaled = logits.astype(np.float64) / temperature
    highest = scaled.max(axis=1)
    total = highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))
    return float((total - scaled[np.arange(len(truth)), truth]).mean())
