# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures a model on a data set, by the same route as the node: crops in, `EmotionClassifier`, probabilities out."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emotion_perception.core.assets import file_sha256
from emotion_perception.core.classification.classifier import EmotionClassifier, create_classifier, softmax
from emotion_perception.core.classification.labels import canonical_label
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.reporting.metrics import Predictions, calibration, coverage, rounded
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.reporting.provenance import command_line, now, package_version, peak_memory_mib
from emotion_perception.training.data_hash import data_sha256
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.evaluate.limitations import limits_of
from emotion_perception.training.evaluate.prediction import logits_of
from emotion_perception.training.evaluate.report import write_report
from emotion_perception.training.evaluate.robustness import measure_robustness
from emotion_perception.training.evaluate.subgroup_metrics import Groupings, measure_subgroups, read_groups
from emotion_perception.training.evaluate.summary_metrics import measure

_WARM_UP, _TIMED = 10, 200  # single faces
_MIB = 2**20


def evaluate(
    config: ClassifierConfig,
    data_path: Path,
    out: Path,
    *,
    split: str | None = None,
    ignore_classes: Sequence[str] = (),
    data_options: Mapping[str, Any] | None = None,
    robustness: bool = False,
    examples: bool = False,
    groups: Path | None = None,
    seed: int = 0,
    progress: bool = True,
) -> dict[str, Any]:
    """Writes report.json, report.md, report.html and the plots into `out`.

    Images pass a batch at a time; what is kept of each is its logits.

    Args:
        config: the model, what it runs on, and from which score on it is certain.
        data_path: a file or folder, see `datasets`.
        out: folder, made if absent.
        split: which split; required where the data has splits.
        ignore_classes: classes whose images are left out.
        data_options: keyword arguments of `load_dataset`.
        robustness: measure the changed images, too: some thirty times the work.
        examples: show one face under every change in the report; faces are personal.
        groups: a groups file, see `groups`.
        seed: of the changes and of the bootstrap.
        progress: show bars.

    Returns:
        The content of report.json. The same input gives the same content but for `ms_per_face` and `timing`.

    Raises:
        ModelFileError: a file of the model is missing or damaged.
        ModelBundleError: the model's files do not fit together.
        DatasetError: data or groups are not in the format, or the model lacks a label of the data.
        ConfigurationError: `examples` without `robustness`.
    """
    if examples and not robustness:
        raise ConfigurationError("--examples shows the changes of --robustness: give both")
    begun = time.perf_counter()
    classifier = create_classifier(config)
    classifier.warm_up()
    data, groupings = _load(data_path, data_options or {}, split, ignore_classes, groups)
    answers, uncalibrated = _answer(classifier, data, progress=progress)
    rule: dict[str, Any] = {"min_confidence": config.min_confidence, "seed": seed, "progress": progress}
    metadata = classifier.spec.metadata
    report: dict[str, Any] = {
        **measure(answers, data),
        "calibration": {
            "temperature": classifier.spec.temperature,
            "fitted_on": (metadata.get("calibration") or {}).get("data"),
            **calibration(uncalibrated, answers),
        },
        "coverage": coverage(answers, config.min_confidence),
        "robustness": measure_robustness(classifier, data, answers, **rule) if robustness else None,
        "groups": None if groups is None else _describe(groups, measure_subgroups(answers, groupings, seed=seed)),
        "ms_per_face": ms_per_face(config, data),
        "model": classifier.model_name,
        "model_sha256": classifier.model_sha256,
        "device": classifier.device,
        **_source(data_path, data, data_options or {}, progress=progress),
        "split": split,
        "ignored_classes": list(ignore_classes),
        "seed": seed,
        "package_version": package_version(),
    }
    report["limits"] = limits_of(report, metadata)
    report["timing"] = _timing(begun, classifier.device)
    write_report(report, out, example=data.images[0] if examples else None)
    return report


def predict(classifier: EmotionClassifier, data: FaceDataset, *, progress: bool) -> NDArray[np.float32]:
    """Returns the calibrated probabilities of every image, float32 (N, L)."""
    return _answer(classifier, data, progress=progress)[0].probabilities


def ms_per_face(config: ClassifierConfig, data: FaceDataset) -> float:
    """Returns the median time of one face in one call on the CPU, preparation of the input included, in ms."""
    classifier = create_classifier(replace(config, device="cpu", require_gpu=False))
    times = []
    for k in range(_WARM_UP + _TIMED):
        crop = data.images[k % len(data)]
        begun = time.perf_counter()
        classifier.classify([crop])
        times.append((time.perf_counter() - begun) * 1000)
    return rounded(statistics.median(times[_WARM_UP:]))


def _answer(classifier: EmotionClassifier, data: FaceDataset, *, progress: bool) -> tuple[Predictions, Predictions]:
    """Returns the model's answers with its temperature, and the same without."""
    truth = data.labels_in(classifier.labels)
    with progress_bar(len(data), "classifying", shown=progress) as bar:
        logits = logits_of(classifier, data.images, bar)
    calibrated, plain = (softmax(logits, temperature) for temperature in (classifier.spec.temperature, 1.0))
    return Predictions(calibrated, truth, classifier.labels), Predictions(plain, truth, classifier.labels)


def _load(
    path: Path, options: Mapping[str, Any], split: str | None, ignored: Sequence[str], groups: Path | None
) -> tuple[FaceDataset, Groupings]:
    """Returns the images to measure on and the group of each."""
    data = load_dataset(path, **options)
    groupings = {} if groups is None else read_groups(groups, data)
    measured = np.ones(len(data), bool) if data.splits is None else data.splits == split
    chosen = data.split(split)
    if ignored:
        chosen = chosen.without_classes(ignored)
        unwanted = [canonical_label(name) for name in ignored]
        measured &= ~np.isin(np.array(data.class_names)[data.labels], unwanted)
    if not len(chosen):
        raise DatasetError(f"{path}: no image is left to measure on")
    groupings = {name: column[measured] for name, column in groupings.items()}
    if groups is not None and not any((column != "").any() for column in groupings.values()):
        raise DatasetError(f"{groups}: gives no group to any of the {len(chosen)} images measured on")
    return chosen, groupings


def _source(path: Path, data: FaceDataset, options: Mapping[str, Any], *, progress: bool) -> dict[str, Any]:
    """Returns where the images come from."""
    return {
        "data": path.resolve().name,
        "data_sha256": data_sha256(path, progress=progress),
        "data_options": {name: str(value) for name, value in options.items()},
        "left_out": {problem.reason: problem.count for problem in data.problems if not problem.total},
    }


def _describe(path: Path, measured: Mapping[str, Any]) -> dict[str, Any]:
    return {"file": path.name, "sha256": file_sha256(path), "columns": measured}


def _timing(begun: float, device: str) -> dict[str, Any]:
    """Returns all that may differ between two evaluations of the same input, but for ms_per_face."""
    return {
        "command": command_line(),
        "date": now(),
        "seconds": round(time.perf_counter() - begun, 3),
        "peak_memory_mib": peak_memory_mib(),
        "peak_gpu_memory_mib": _peak_gpu_memory_mib(device),
    }


def _peak_gpu_memory_mib(device: str) -> float | None:
    return round(torch.cuda.max_memory_allocated(device) / _MIB, 1) if device.startswith("cuda") else None
