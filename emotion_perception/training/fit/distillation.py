# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Targets for knowledge distillation: the probabilities that a teacher predicts for the training images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import ClassifierOptions, create_classifier, softmax
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.evaluate.prediction import classifier_logits


def distillation_targets(data: FaceDataset, labels: Sequence[str], model: str) -> NDArray[np.float32]:
    """Returns the calibrated probabilities that a teacher predicts for each image, without augmentation.

    Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network", at the temperature to which the
    teacher was calibrated. Labels that only the teacher has are left out, and the other probabilities are scaled.

    Args:
        data: the images.
        labels: labels of the student.
        model: the teacher: name of a shipped model or path, as a node's parameter `model`.

    Returns:
        float32 (N, L) in the order of `labels`; every row has the sum 1.

    Raises:
        ConfigurationError: the teacher does not have one of `labels`.
        ModelFileError, ModelBundleError: the teacher cannot be opened.
    """
    classifier = create_classifier(ClassifierOptions(model=model, precision="float32"))
    if missing := [label for label in labels if label not in classifier.labels]:
        raise ConfigurationError(f"teacher {model} has no label {', '.join(missing)}")
    with progress_bar(len(data), f"predicting with the teacher {classifier.model_name}", shown=True) as bar:
        logits = classifier_logits(classifier, data.images, bar)
    columns = [classifier.labels.index(label) for label in labels]
    return softmax(logits[:, columns], classifier.spec.temperature)
