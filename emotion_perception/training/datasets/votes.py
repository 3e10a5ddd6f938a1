# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training targets from the votes of FER+ taggers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.training.datasets.face_dataset import RECIPE_HINT, FaceDataset

MODES = ("label", "majority", "probability", "cross_entropy")


def vote_targets(data: FaceDataset, labels: Sequence[str], mode: str) -> NDArray[np.float32]:
    """Returns the target distribution of each image over `labels`, float32 (N, L); every row has the sum 1.

    * `label`: the label of the dataset.
    * `majority`: the label that more than half of the taggers chose; if there is none, the label of the dataset.
    * `probability` and `cross_entropy`: the fractions of the taggers that chose one of `labels`, scaled to the sum 1;
      if no tagger did, the label of the dataset. With `probability`, training draws one label from this distribution in
      each epoch; with `cross_entropy`, it uses the distribution as the target.

    Images without a face according to all taggers are `data.rejected`; `usable_for_training` leaves them out.

    Raises:
        ConfigurationError: the mode is unknown.
        DatasetError: the dataset has no votes, or a label that is not in `labels`.
    """
    if mode not in MODES:
        raise ConfigurationError(f"targets '{mode}' are none of {', '.join(MODES)}")
    one_hot = np.eye(len(labels), dtype=np.float32)
    own = one_hot[data.labels_in(labels, hint=RECIPE_HINT)]
    if mode == "label":
        return own
    if data.votes is None:
        raise DatasetError(f"targets '{mode}' need votes; the dataset has none")
    shares = np.zeros((len(data), len(labels)), np.float32)
    for column, label in enumerate(labels):
        if label in data.vote_names:
            shares[:, column] = data.votes[:, data.vote_names.index(label)]
    if mode == "majority":
        return np.where(shares.max(axis=1, keepdims=True) > 0.5, one_hot[shares.argmax(axis=1)], own)
    total = shares.sum(axis=1, keepdims=True)
    return np.where(total > 0, shares / np.where(total > 0, total, 1), own)
