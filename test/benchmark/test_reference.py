# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work by which times of different machines are compared."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the training extra is not installed: pip install emotion_perception[training]")
from emotion_perception.benchmark.reference import reference_work


def test_the_reference_is_always_the_same_work():
    first, second = reference_work()(), reference_work()()
    assert first.shape == (1, 32, 120, 160)
    assert first.std() > 1, "the weights are used"
    np.testing.assert_array_equal(first, second)
