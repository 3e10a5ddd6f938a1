# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from emotion_perception.core.tracking.assignment import best_pairs, largest_sum


def total(weights, pairs):
    return sum(weights[row, column] for row, column in pairs.items())


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (1, 5), (5, 1), (3, 3), (7, 4), (4, 7), (40, 64)])
@pytest.mark.parametrize("seed", range(5))
def test_the_sum_is_that_of_scipy(shape, seed):
    weights = np.random.default_rng(seed).uniform(0, 1, shape) ** 4
    pairs = largest_sum(weights)
    assert len(pairs) == min(shape)
    assert len(set(pairs.values())) == len(pairs)
    assert total(weights, pairs) == pytest.approx(weights[linear_sum_assignment(weights, maximize=True)].sum())


@pytest.mark.parametrize("seed", range(20))
def test_the_pairs_have_the_largest_sum_of_those_that_overlap_enough(seed):
    generator = np.random.default_rng(seed)
    overlaps = generator.uniform(0, 1, (9, 8)) * (generator.uniform(0, 1, (9, 8)) < 0.4)
    allowed = np.where(overlaps >= 0.3, overlaps, 0.0)
    pairs = best_pairs(overlaps, 0.3)
    assert all(overlaps[row, column] >= 0.3 for row, column in pairs.items())
    assert total(overlaps, pairs) == pytest.approx(allowed[linear_sum_assignment(allowed, maximize=True)].sum())


def test_equal_overlaps_each_get_a_partner():
    assert sorted(best_pairs(np.full((4, 4), 0.5), 0.3).values()) == [0, 1, 2, 3]


def test_nothing_overlaps():
    assert best_pairs(np.zeros((3, 2)), 0.0) == {}
    assert best_pairs(np.zeros((0, 2)), 0.3) == {}


def test_the_tracker_does_not_import_scipy():
    program = "import sys, emotion_perception.core.tracking.tracker; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
