# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the taggers of FER+ said, as targets of a training."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.training.datasets.face_dataset import FaceDataset

MODES = ("label", "majority", "probability", "cross_entropy")


def vote_targets(data: FaceDataset, labels: Sequence[str], mode: str) -> NDArray[np.float32]:
    """Returns the target distribution of each row over `labels`, float32 (N, L), every row of sum 1.

    * `label`: the data's own label alone.
    * `majority`: the label that more than half of all taggers chose; where there is none, the data's own.
    * `probability` and `cross_entropy`: the shares of the taggers that chose one of `labels`, scaled to sum 1; where
      nobody did, the data's own label. They differ in what the training makes of them: one label drawn by these
      probabilities each time, or the cross-entropy with all of them.

    Images in which no tagger saw a face are `data.rejected`; `fit_for_training` leaves them out.

    Raises:
        ConfigurationError: there is no such mode.
        DatasetError: the data has no votes, or a label that is not in `labels`.
    """
    if mode not in MODES:
        raise ConfigurationError(f"targets '{mode}' are none of {', '.join(MODES)}")
    one_hot = np.eye(len(labels), dtype=np.float32)
    own = one_hot[data.labels_in(labels)]
    if mode == "label":
        return own
    if data.votes is None:
        raise DatasetError(f"targets '{mode}' need taggers' votes; the data has none")
    shares = np.zeros((len(data), len(labels)), np.float32)
    for column, label in enumerate(labels):
        if label in data.vote_names:
            shares[:, column] = data.votes[:, data.vote_names.index(label)]
    if mode == "majority":
        return np.where(shares.max(axis=1, keepdims=True) > 0.5, one_hot[shares.argmax(axis=1)], own)
    total = shares.sum(axis=1, keepdims=True)
    return np.where(total > 0, shares / np.where(total > 0, total, 1), own)
