# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Targets for knowledge distillation: the probabilities that a teacher predicts for the training images.

Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network", at the temperature to which the teacher
was calibrated.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from emotion_perception.core.atomic_files import atomic_path
from emotion_perception.core.classification import (
    ClassifierOptions,
    ModelSpec,
    create_classifier,
    load_model_bundle,
    softmax,
)
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.training.architectures import open_network
from emotion_perception.training.archives import check_archive
from emotion_perception.training.datasets import FaceDataset, chunks
from emotion_perception.training.evaluate.prediction import classifier_logits
from emotion_perception.training.fit.hardware import MAX_THREADS


def distillation_targets(
    data: FaceDataset, labels: Sequence[str], models: Sequence[str], *, kept: Path | None = None
) -> NDArray[np.float32]:
    """Returns the mean of the calibrated probabilities that teachers predict for each image, without augmentation.

    Labels that only the teacher has are left out, and the other probabilities are scaled.

    Args:
        data: the images.
        labels: labels of the student.
        models: the teachers: names of shipped models or paths, as a node's parameter `model`.
        kept: .npz file in which the probabilities are kept; they are computed where it lacks those of these images,
            labels and teachers.

    Returns:
        float32 (N, L) in the order of `labels`; every row has the sum 1.

    Raises:
        ConfigurationError: a teacher does not have one of `labels`.
        ModelFileError, ModelBundleError: a teacher cannot be opened.
    """
    if kept is None:
        return _mean_probabilities(data, labels, models)
    key = _key(data, labels, models)
    probabilities = _read(kept, key, (len(data), len(labels)))
    if probabilities is None:
        probabilities = _mean_probabilities(data, labels, models)
        with atomic_path(kept) as part, open(part, "wb") as file:
            np.savez_compressed(file, probabilities=probabilities, key=np.array(key))
    return probabilities


def _mean_probabilities(data: FaceDataset, labels: Sequence[str], models: Sequence[str]) -> NDArray[np.float32]:
    return np.mean([_probabilities(data, labels, model) for model in models], axis=0, dtype=np.float32)


def _key(data: FaceDataset, labels: Sequence[str], models: Sequence[str]) -> str:
    teachers = [load_model_bundle(name).sha256 for name in models]
    found = hashlib.sha256(repr((data.images.shape, *labels, *teachers)).encode())
    for images in chunks(data.images):
        found.update(images.tobytes())
    return found.hexdigest()


def _read(path: Path, key: str, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """Returns the probabilities that a file keeps, or None if it has none with this key."""
    try:
        check_archive(path)
        with np.load(path, allow_pickle=False) as file:
            probabilities = file["probabilities"] if str(file["key"]) == key else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    if probabilities is None or probabilities.shape != shape or probabilities.dtype != np.float32:
        return None
    return probabilities if np.isfinite(probabilities).all() else None


def _probabilities(data: FaceDataset, labels: Sequence[str], model: str) -> NDArray[np.float32]:
    """Returns the calibrated probabilities of one teacher, float32 (N, L)."""
    threads = min(torch.get_num_threads(), MAX_THREADS)  # a backend of torch sets them for the whole process
    classifier = create_classifier(ClassifierOptions(model=model, precision="float32", num_threads=threads))
    classifier.warm_up()  # refuses outputs that are not finite
    columns = _columns(labels, classifier.labels, model)
    with progress_bar(len(data), f"predicting with the teacher {classifier.model_name}", shown=True) as bar:
        logits = classifier_logits(classifier, data.images, bar)
    return softmax(logits[:, columns], classifier.spec.temperature)


class Teacher(nn.Module):
    """A teacher that predicts network inputs during the training, see `Recipe.teacher_views`.

    Args:
        model: name of a shipped model or path, as a node's parameter `model`.
        spec: input and labels of the student.

    Raises:
        ConfigurationError: the teacher lacks a label of the student, or takes inputs of another kind.
        ModelFileError, ModelBundleError: the teacher cannot be opened.
    """

    def __init__(self, model: str, spec: ModelSpec) -> None:
        super().__init__()
        bundle = load_model_bundle(model)
        own = bundle.spec
        for name in ("input_size", "normalization", "pixel_mean", "pixel_deviation"):
            if getattr(own, name) != getattr(spec, name):
                raise ConfigurationError(
                    f"teacher_views: {name} of {model} is {getattr(own, name)}, the recipe has {getattr(spec, name)}"
                )
        self._columns, self._temperature = _columns(spec.labels, own.labels, model), own.temperature
        self.network = _with_folded_normalization(open_network(bundle))

    @torch.no_grad()
    def forward(self, inputs: Tensor) -> Tensor:
        """Maps inputs, float32 (N, 1, S, S), to calibrated probabilities, float32 (N, L), in the student's labels."""
        logits: Tensor = self.network(inputs)
        return (logits.float()[:, self._columns] / self._temperature).softmax(1)


def _with_folded_normalization(network: nn.Module) -> nn.Module:
    """Folds each batch normalization that follows a convolution into it; returns the network, which is in eval mode."""
    for layers in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for k, (first, second) in enumerate(pairwise(list(layers))):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                layers[k], layers[k + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return network


def _columns(labels: Sequence[str], taught: Sequence[str], model: str) -> list[int]:
    """Returns the positions of labels among those of a teacher; raises ConfigurationError if it lacks one."""
    if missing := [label for label in labels if label not in taught]:
        raise ConfigurationError(f"teacher {model} has no label {', '.join(missing)}")
    return [list(taught).index(label) for label in labels]
