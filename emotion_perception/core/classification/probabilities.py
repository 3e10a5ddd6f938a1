# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""From logits to probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def softmax(logits: NDArray[np.floating[Any]], temperature: float = 1.0) -> NDArray[np.float32]:
    """Returns the softmax of logits / temperature, (..., L), over the last axis: float32, computed in float64."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True, initial=-np.inf))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)
