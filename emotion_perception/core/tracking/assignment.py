# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Chooses pairs of rows and columns of a matrix with the largest sum.

scipy has the same function, but importing it takes half a second of processor time, in which frames are lost.
"""

import numpy as np
from numpy.typing import NDArray


def best_pairs(overlaps: NDArray[np.float64], min_iou: float) -> dict[int, int]:
    """Chooses pairs of regions with the largest sum of overlaps; pairs below `min_iou` are neither counted nor chosen.

    Args:
        overlaps: float64 (N, M), 0..1.
        min_iou: 0..1.

    Returns:
        Column by row, each at most once.
    """
    allowed = (overlaps > 0) & (overlaps >= min_iou)
    rows, columns = np.nonzero(allowed)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    if len(set(rows)) == len(rows) and len(set(columns)) == len(columns):  # there is no choice
        return dict(pairs)
    rows, columns = np.unique(rows), np.unique(columns)
    chosen = largest_sum(np.where(allowed, overlaps, 0.0)[np.ix_(rows, columns)])
    best = ((int(rows[row]), int(columns[column])) for row, column in chosen.items())
    return {row: column for row, column in best if allowed[row, column]}


def largest_sum(weights: NDArray[np.float64]) -> dict[int, int]:
    """Assigns each row to another column, or each column to another row if there are fewer, with the largest sum.

    By shortest augmenting paths, as in Crouse 2016, "On implementing 2D rectangular assignment algorithms".

    Args:
        weights: float64 (N, M), finite.

    Returns:
        Column by row, min(N, M) pairs.
    """
    if weights.shape[0] > weights.shape[1]:
        return {row: column for column, row in largest_sum(weights.T).items()}
    costs = weights.max(initial=0.0) - weights
    row_prices, column_prices = np.zeros(costs.shape[0]), np.zeros(costs.shape[1])
    column_of, row_of = np.full(costs.shape[0], -1), np.full(costs.shape[1], -1)
    for start in range(costs.shape[0]):
        distances, previous = np.full(costs.shape[1], np.inf), np.full(costs.shape[1], -1)
        done, visited = np.zeros(costs.shape[1], bool), []
        row, distance = start, 0.0
        while row >= 0:  # Dijkstra's algorithm, until a column is free
            visited.append(row)
            reached = distance + costs[row] - row_prices[row] - column_prices
            shorter = ~done & (reached < distances)
            distances[shorter], previous[shorter] = reached[shorter], row
            column = int(np.argmin(np.where(done, np.inf, distances)))
            distance, row, done[column] = distances[column], row_of[column], True
        row_prices[start] += distance
        others = visited[1:]
        row_prices[others] += distance - distances[column_of[others]]
        column_prices[done] -= distance - distances[done]
        while row != start:  # back along the path
            row = int(previous[column])
            row_of[column] = row
            column_of[row], column = column, column_of[row]
    return {row: int(column) for row, column in enumerate(column_of)}
