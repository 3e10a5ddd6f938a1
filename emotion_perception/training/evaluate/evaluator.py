# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluates a model on a dataset with the classes that the nodes use: crops, `EmotionClassifier`, probabilities."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emotion_perception.core.assets import file_sha256
from emotion_perception.core.classification import (
    ClassifierOptions,
    EmotionClassifier,
    RecognizerOptions,
    canonical_label,
    create_classifier,
    softmax,
)
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.core.printable import printable
from emotion_perception.reporting.metrics import Predictions, calibration, coverage, rounded
from emotion_perception.reporting.output_folder import OutputFolder
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.reporting.provenance import command_line, now, package_version, peak_memory_mib
from emotion_perception.training.data_hash import data_sha256
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.evaluate.limitations import limitations_of
from emotion_perception.training.evaluate.prediction import classifier_logits
from emotion_perception.training.evaluate.report import REPORT_FILES, write_report
from emotion_perception.training.evaluate.resting_images import (
    RestingRule,
    baseline_entries,
    find_resting_images,
    predict_relative,
)
from emotion_perception.training.evaluate.robustness import measure_robustness
from emotion_perception.training.evaluate.subgroup_metrics import Groupings, measure_subgroups, read_subgroups
from emotion_perception.training.evaluate.summary_metrics import measure
from emotion_perception.training.recipe import check_seed

_WARM_UP, _TIMED = 10, 200  # calls with one face
_MIB = 2**20


def evaluate(
    options: ClassifierOptions,
    data_path: Path,
    out: Path,
    *,
    min_confidence: float = RecognizerOptions.min_confidence,
    split: str | None = None,
    ignore_classes: Sequence[str] = (),
    data_options: Mapping[str, Any] | None = None,
    robustness: bool = False,
    examples: bool = False,
    subgroups: Path | None = None,
    baseline: RestingRule | None = None,
    seed: int = 0,
    inputs: Sequence[Path] = (),
    progress: bool = True,
) -> dict[str, Any]:
    """Evaluates a model on a dataset; writes report.json, report.md, report.html and the plots into `out`.

    Args:
        options: model and device.
        data_path: file or folder of the dataset, see `datasets`.
        out: folder, created if absent.
        min_confidence: predictions with a lower score count as uncertain, 0..1.
        split: name of the split; required where the dataset has splits.
        ignore_classes: classes whose images are left out.
        data_options: keyword arguments of `load_dataset`.
        robustness: also measure changed images, which takes about thirty times as long.
        examples: show a face of the dataset with every change in the report; faces are personal data.
        subgroups: CSV file with the subgroups of the images, see `subgroup_metrics`.
        baseline: read expressions relative to a resting image of each person, which is not measured on; None does not.
        seed: of the random changes and of the bootstrap.
        inputs: further files that the caller reads, which the results may not replace.
        progress: show progress bars.

    Returns:
        The content of report.json. The same input gives the same content except for `ms_per_face` and `timing`.

    Raises:
        ModelFileError: a file of the model is missing or damaged.
        ModelBundleError: the model's files do not fit together.
        DatasetError: the dataset or the subgroups cannot be read, or the model has no output for a label.
        ConfigurationError: an option is out of range, `examples` is given without `robustness`, `baseline` with it or
            with a model that has no statistics of resting faces, or `out` cannot be used (see `OutputFolder`).
    """
    if baseline and robustness:
        raise ConfigurationError("--robustness changes single images: it cannot be combined with --baseline-by")
    if examples and not robustness:
        raise ConfigurationError("--examples shows the changes of --robustness: give both")
    check_seed(seed)
    min_confidence = RecognizerOptions(min_confidence=min_confidence).min_confidence  # checks the range
    read = [data_path, Path(options.model), *([subgroups] if subgroups else []), *inputs]
    with OutputFolder(out, "evaluate", writes=REPORT_FILES, inputs=read) as folder, folder.replaced() as part:
        started = time.perf_counter()
        classifier = create_classifier(options)
        classifier.warm_up()
        data, groupings = _load(data_path, data_options or {}, split, ignore_classes, subgroups)
        entries = None
        if baseline:
            found = find_resting_images(data, baseline)
            predictions, uncalibrated = predict_relative(classifier, data, found, progress=progress)
            entries = baseline_entries(baseline, data, found, predictions, uncalibrated, seed=seed)
            data = data.select(found.tested)
            groupings = {name: column[found.tested] for name, column in groupings.items()}
        else:
            predictions, uncalibrated = _predict(classifier, data, progress=progress)
        rule: dict[str, Any] = {"min_confidence": min_confidence, "seed": seed, "progress": progress}
        metadata = classifier.spec.metadata
        report: dict[str, Any] = {
            **measure(predictions, data),
            "calibration": {
                "temperature": classifier.spec.temperature,
                "fitted_on": (metadata.get("calibration") or {}).get("data"),
                **calibration(uncalibrated, predictions),
            },
            "coverage": coverage(predictions, min_confidence),
            "robustness": measure_robustness(classifier, data, predictions, **rule) if robustness else None,
            "subgroups": _describe(subgroups, measure_subgroups(predictions, groupings, seed=seed))
            if subgroups
            else None,
            "baseline": entries,
            "ms_per_face": ms_per_face(options, data),
            "model": classifier.model_name,
            "model_sha256": classifier.model_sha256,
            "device": classifier.device,
            **_dataset_entries(data_path, data, data_options or {}, progress=progress),
            "split": split,
            "ignored_classes": list(ignore_classes),
            "seed": seed,
            "package_version": package_version(),
        }
        report["limitations"] = limitations_of(report, metadata)
        report["timing"] = _timing(started, classifier.device)
        write_report(report, part, example=data.images[0] if examples else None)
    return report


def predict(classifier: EmotionClassifier, data: FaceDataset, *, progress: bool) -> Predictions:
    """Returns the calibrated predictions of a classifier for each image.

    Raises:
        DatasetError: there is no image, or the classifier has no output for a label.
    """
    return _predict(classifier, data, progress=progress)[0]


def ms_per_face(options: ClassifierOptions, data: FaceDataset) -> float:
    """Returns the median duration of a call with one face on the CPU, preprocessing included, in ms."""
    classifier = create_classifier(replace(options, device="cpu", require_gpu=False))
    times = []
    for k in range(_WARM_UP + _TIMED):
        crop = data.images[k % len(data)]
        started = time.perf_counter()
        classifier.classify([crop])
        times.append((time.perf_counter() - started) * 1000)
    return rounded(statistics.median(times[_WARM_UP:]))


def _predict(classifier: EmotionClassifier, data: FaceDataset, *, progress: bool) -> tuple[Predictions, Predictions]:
    """Returns the predictions with the model's temperature and without."""
    truth = data.labels_in(classifier.labels)
    with progress_bar(len(data), "classifying", shown=progress) as bar:
        logits = classifier_logits(classifier, data.images, bar)
    calibrated, plain = (softmax(logits, temperature) for temperature in (classifier.spec.temperature, 1.0))
    return Predictions(calibrated, truth, classifier.labels), Predictions(plain, truth, classifier.labels)


def _load(
    path: Path, options: Mapping[str, Any], split: str | None, ignored: Sequence[str], subgroups: Path | None
) -> tuple[FaceDataset, Groupings]:
    """Returns the images to measure on and the subgroups of each."""
    data = load_dataset(path, **options)
    groupings = {} if subgroups is None else read_subgroups(subgroups, data)
    measured = np.ones(len(data), bool) if data.splits is None else data.splits == split
    chosen = data.split(split)
    if ignored:
        chosen = chosen.without_classes(ignored)
        unwanted = [canonical_label(name) for name in ignored]
        measured &= ~np.isin(np.array(data.class_names)[data.labels], unwanted)
    if not len(chosen):
        raise DatasetError(f"{path}: no image to measure on")
    groupings = {name: column[measured] for name, column in groupings.items()}
    if subgroups is not None and not any((column != "").any() for column in groupings.values()):
        raise DatasetError(f"{subgroups}: names no subgroup for any of the {len(chosen)} images to measure on")
    return chosen, groupings


def _dataset_entries(path: Path, data: FaceDataset, options: Mapping[str, Any], *, progress: bool) -> dict[str, Any]:
    """Returns the entries of the report that identify the dataset."""
    return {
        "data": printable(path.resolve().name),
        "data_sha256": data_sha256(path, progress=progress),
        "data_options": {name: str(value) for name, value in options.items()},
        "left_out": {problem.reason: problem.count for problem in data.problems if not problem.total},
    }


def _describe(path: Path, measured: Mapping[str, Any]) -> dict[str, Any]:
    return {"file": printable(path.name), "sha256": file_sha256(path), "columns": measured}


def _timing(started: float, device: str) -> dict[str, Any]:
    """Returns the entries that differ between two evaluations of the same input."""
    return {
        "command": command_line(),
        "date": now(),
        "seconds": round(time.perf_counter() - started, 3),
        "peak_memory_mib": peak_memory_mib(),
        "peak_gpu_memory_mib": _peak_gpu_memory_mib(device),
    }


def _peak_gpu_memory_mib(device: str) -> float | None:
    return round(torch.cuda.max_memory_allocated(device) / _MIB, 1) if device.startswith("cuda") else None
