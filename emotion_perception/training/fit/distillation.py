# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a finished model says to the images, as targets of the training of another one (knowledge distillation)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import create_classifier, softmax
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.evaluate.prediction import logits_of


def distillation_targets(data: FaceDataset, labels: Sequence[str], model: str) -> NDArray[np.float32]:
    """Returns the calibrated probabilities that a model gives each image, as it is, over `labels`.

    Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network", at the temperature that the model
    was calibrated to. Labels that only the teacher knows are left out and the rest scaled.

    Args:
        data: the images.
        labels: of the network that learns.
        model: name of a shipped model or path, as a node's parameter `model`.

    Returns:
        float32 (N, L), every row of sum 1.

    Raises:
        ConfigurationError: the teacher lacks one of `labels`.
        ModelFileError, ModelBundleError: the teacher cannot be opened.
    """
    classifier = create_classifier(ClassifierConfig(model=model))
    if missing := [label for label in labels if label not in classifier.labels]:
        raise ConfigurationError(f"teacher {model} does not know {', '.join(missing)}")
    with progress_bar(len(data), f"asking {classifier.model_name}", shown=True) as bar:
        logits = logits_of(classifier, data.images, bar)
    columns = [classifier.labels.index(label) for label in labels]
    return softmax(logits[:, columns], classifier.spec.temperature)
