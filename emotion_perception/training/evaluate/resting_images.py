# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Predictions relative to one resting image of each subject, and what they gain, with intervals over subjects."""

import fnmatch
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import EmotionClassifier, canonical_label
from emotion_perception.core.classification.resting_head import require_resting_head
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.reporting.metrics import Predictions, confusion_matrix, rounded
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.evaluate.prediction import BATCH

_RESAMPLES = 2000
_INTERVAL = (0.025, 0.975)
SUBJECT = "subject"


@dataclass(frozen=True, kw_only=True)
class RestingRule:
    """Which image shows a person at rest.

    Attributes:
        by: what identifies a person: `subject`.
        label: class of the resting images, in any spelling.
        files: pattern for their file names, e.g. `*_normal`; empty takes all. Of several images the first is taken.
    """

    by: str = SUBJECT
    label: str = "neutral"
    files: str = ""


@dataclass(frozen=True, eq=False)
class RestingImages:
    """The images that show each subject at rest, and those to test.

    Attributes:
        resting: row of the resting image of each image, int64 (N); -1 if its subject has none.
        tested: bool (N): images of a subject with a resting image, without that one.
    """

    resting: NDArray[np.int64]
    tested: NDArray[np.bool_]


def find_resting_images(data: FaceDataset, rule: RestingRule) -> RestingImages:
    """Takes one resting image of each subject out of the images to test.

    Raises:
        ConfigurationError: `rule.by` is not `subject`.
        DatasetError: the dataset has no subjects, no such class, no file names for a pattern, or no image remains.
    """
    if rule.by != SUBJECT:
        raise ConfigurationError(f"--baseline-by {rule.by}: only {SUBJECT} is known")
    if data.subjects is None:
        raise DatasetError("--baseline-by subject: the dataset has no subjects")
    try:
        label = canonical_label(rule.label)
    except DatasetError as e:
        raise DatasetError(f"--baseline-class {e}") from None
    if label not in data.class_names:
        raise DatasetError(f"--baseline-class {rule.label}: the dataset has {', '.join(data.class_names)}")
    at_rest = data.labels == data.class_names.index(label)
    if rule.files:
        if data.filenames is None:
            raise DatasetError(f"--baseline-files {rule.files}: the dataset has no file names")
        at_rest &= np.array([fnmatch.fnmatchcase(name, rule.files) for name in data.filenames.tolist()], bool)
    first: dict[str, int] = {}
    for row in np.flatnonzero(at_rest).tolist():
        first.setdefault(data.subjects[row], row)
    resting = np.array([first.get(subject, -1) for subject in data.subjects.tolist()], np.int64)
    tested = (resting >= 0) & (resting != np.arange(len(data)))
    if not tested.any():
        raise DatasetError("no subject has a resting image and another one to test")
    return RestingImages(resting, tested)


def predict_relative(
    classifier: EmotionClassifier, data: FaceDataset, found: RestingImages, *, progress: bool
) -> tuple[Predictions, Predictions]:
    """Returns the predictions relative to rest and those of the network alone, for the images to test.

    Raises:
        ConfigurationError: the model has no statistics of resting faces.
        DatasetError: the classifier has no output for a label.
    """
    head = require_resting_head(classifier.resting_head, classifier.model_name)
    tested = np.flatnonzero(found.tested)
    truth = data.select(tested).labels_in(classifier.labels)
    needed, places = np.unique(np.concatenate((tested, found.resting[tested])), return_inverse=True)
    rows, projected = [], []
    with progress_bar(len(needed), "classifying", shown=progress) as bar:
        for begin in range(0, len(needed), BATCH):
            crops = [data.images[row] for row in needed[begin : begin + BATCH]]
            probabilities, projections = classifier.predict(crops)
            rows.append(probabilities)
            projected.append(projections)
            bar.update(len(crops))
    alone, projections = np.concatenate(rows), np.concatenate(projected)
    of_faces, of_rest = places[: len(tested)], places[len(tested) :]
    relative = head.probabilities(projections[of_faces], projections[of_rest])
    return Predictions(relative, truth, classifier.labels), Predictions(alone[of_faces], truth, classifier.labels)


def baseline_entries(
    rule: RestingRule, data: FaceDataset, found: RestingImages, relative: Predictions, alone: Predictions, *, seed: int
) -> dict[str, Any]:
    """Returns the entry `baseline` of report.json.

    Args:
        rule: which images are at rest.
        data: all images.
        found: the images at rest and those to test.
        relative: predictions relative to rest.
        alone: those of the network alone, for the same images.
        seed: of the bootstrap.

    Returns:
        The rule, `num_subjects`, `without_rest` (images that were left out because their subject has no resting image),
        and `relative`, `alone` and `gain`: accuracy and balanced_accuracy with their bootstrap 95 % intervals over
        subjects, None with one subject.
    """
    assert data.subjects is not None
    subjects = data.subjects[found.tested]
    names = np.unique(subjects)
    confusions = np.array(
        [
            [confusion_matrix(predictions.select(subjects == name)) for name in names]
            for predictions in (relative, alone)
        ]
    )  # (2, S, L, L)
    draws = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), _RESAMPLES)
    resampled = np.einsum("rs,kslm->krlm", draws, confusions)
    sums = confusions.sum(axis=1)
    entries: dict[str, Any] = {
        "by": rule.by,
        "class": canonical_label(rule.label),
        "files": rule.files,
        "num_subjects": len(names),
        "without_rest": int((found.resting < 0).sum()),
        "relative": {},
        "alone": {},
        "gain": {},
    }
    for metric, compute in (("accuracy", _accuracy), ("balanced_accuracy", _balanced_accuracy)):
        (of_relative, of_alone), drawn = compute(sums), compute(resampled)
        values = {"relative": (of_relative, drawn[0]), "alone": (of_alone, drawn[1])}
        values["gain"] = (of_relative - of_alone, drawn[0] - drawn[1])
        for name, (value, samples) in values.items():
            interval = [rounded(end) for end in np.quantile(samples, _INTERVAL)] if len(names) > 1 else None
            entries[name] |= {metric: rounded(value), f"{metric}_interval": interval}
    return entries


def _accuracy(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=(-2, -1)))


def _balanced_accuracy(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the mean recall over the classes that occur, (...), of confusion matrices (..., L, L)."""
    counts = confusion.sum(axis=-1)
    recall = np.diagonal(confusion, axis1=-2, axis2=-1) / np.maximum(counts, 1)
    return np.asarray(recall.sum(axis=-1) / (counts > 0).sum(axis=-1))
