"""Measures a model on a data file, by the same route as the node: crops in, `EmotionClassifier`, probabilities out."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion_perception.core.classification import EmotionClassifier, create_classifier
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.errors import DatasetError
from emotion_perception.core.model_files import file_sha256
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.metrics import Answers, measure
from emotion_perception.training.provenance import package_version
from emotion_perception.training.report import write_report

_BATCH = 128  # pictures; bounds the memory
_WARM_UP, _TIMED = 10, 200  # single faces


def evaluate(
    config: ClassifierConfig,
    data_path: Path,
    out: Path,
    *,
    split: str | None = None,
    ignore_classes: Sequence[str] = (),
    progress: bool = True,
) -> dict[str, Any]:
    """Writes report.json, report.md, confusion.png and reliability.png into `out`.

    Args:
        config: the model, and what it runs on.
        data_path: an .npz or fer2013.csv, see `datasets`.
        out: folder, made if absent.
        split: which split; required where the file has splits.
        ignore_classes: classes whose pictures are left out.
        progress: show a bar.

    Returns:
        The content of report.json.

    Raises:
        ModelFileError: a file of the model is missing or damaged.
        CheckpointError: the model's files do not fit together.
        DatasetError: the data file is not in the format, or the model lacks a label of it.
    """
    classifier = create_classifier(config)
    classifier.warm_up()
    data = load_dataset(data_path).split(split)
    if ignore_classes:
        data = data.without_classes(ignore_classes)
    if not len(data):
        raise DatasetError(f"{data_path}: no picture is left to measure on")
    truth = data.labels_in(classifier.labels)
    answers = Answers(predict(classifier, data, progress=progress), truth, classifier.labels)
    report = {
        **measure(answers, data),
        "ms_per_face": ms_per_face(config, data),
        "model": classifier.model_name,
        "model_sha256": classifier.model_sha256,
        "device": classifier.device,
        "data": data_path.name,
        "data_sha256": file_sha256(data_path),
        "split": split,
        "ignored_classes": list(ignore_classes),
        "package_version": package_version(),
    }
    write_report(report, answers, out)
    return report


def predict(classifier: EmotionClassifier, data: FaceDataset, *, progress: bool) -> NDArray[np.float32]:
    """Returns the calibrated probabilities of every picture, float32 (N, L)."""
    starts = tqdm(
        range(0, len(data), _BATCH), "classifying", unit="batch", disable=None if progress else True, leave=False
    )
    return np.concatenate([classifier.classify(list(data.images[k : k + _BATCH])) for k in starts])


def ms_per_face(config: ClassifierConfig, data: FaceDataset) -> float:
    """Returns the median time of one face in one call on the CPU, preparation of the input included, in ms."""
    classifier = create_classifier(replace(config, device="cpu", require_gpu=False))
    times = []
    for k in range(_WARM_UP + _TIMED):
        crop = data.images[k % len(data)]
        begun = time.perf_counter()
        classifier.classify([crop])
        times.append((time.perf_counter() - begun) * 1000)
    return round(statistics.median(times[_WARM_UP:]), 6)
