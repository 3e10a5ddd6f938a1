# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads an expression relative to a resting face: a linear discriminant on the shift of a network's features.

The head is fitted by `emotion-perception fit-baseline`, see `training.export.resting_statistics`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.model_bundle import read_tensors
from emotion_perception.core.classification.probabilities import softmax
from emotion_perception.core.errors import ConfigurationError, ModelBundleError


@dataclass(frozen=True, eq=False)
class RestingHead:
    """A linear layer without memory: logits of an expression = weight (features - resting features) + bias.

    The difference is taken after the projection, so that a resting face is L numbers.

    Attributes:
        weight: float32 (L, F), in the order of the model's labels.
        bias: float32 (L).
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def project(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the projections, float32 (N, L), of features (N, F)."""
        with np.errstate(over="ignore", invalid="ignore"):  # the caller looks at what is not finite
            return features @ self.weight.T

    def probabilities(
        self, projections: NDArray[np.floating[Any]], resting: NDArray[np.floating[Any]]
    ) -> NDArray[np.float32]:
        """Returns the probabilities relative to a resting face, float32 (..., L), each row sums to 1.

        Args:
            projections: (..., L), of the faces.
            resting: (L) or (..., L), projection of the same person's face at rest.
        """
        return softmax(np.asarray(projections, np.float64) - resting + self.bias)


def load_resting_head(path: Path, num_labels: int) -> RestingHead:
    """Reads NAME.baseline.safetensors.

    Args:
        path: the file.
        num_labels: number of the model's labels.

    Raises:
        ModelBundleError: the file is damaged or belongs to another model.
    """
    tensors = read_tensors(path)
    weight, bias = (tensors.get(name, np.zeros(0, np.float32)) for name in ("weight", "bias"))
    if weight.ndim != 2 or weight.shape[0] != num_labels or bias.shape != (num_labels,):
        raise ModelBundleError(f"{path}: has weight {weight.shape} and bias {bias.shape} for {num_labels} labels")
    return RestingHead(weight, bias)


def require_resting_head(head: RestingHead | None, model: str) -> RestingHead:
    """Returns the head.

    Raises:
        ConfigurationError: there is none.
    """
    if head is None:
        raise ConfigurationError(
            f"{model} has no statistics of resting faces, which the baseline needs; make them: "
            "emotion-perception fit-baseline"
        )
    return head
