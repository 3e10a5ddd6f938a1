# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether a model serves groups of people alike: figures for each group that the user's own file names.

Nothing is guessed from an image. The file is a CSV with a header; one column, `index` (row of the data file, from 0)
or `filename`, says which image, each other column is a grouping, e.g. `gender`. An empty cell is no value.
"""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import DatasetError
from emotion_perception.reporting.metrics import Predictions, confusion_matrix, macro_f1, rounded
from emotion_perception.training.datasets import FaceDataset

FEWEST = 30  # images; no claim is made on fewer
_RESAMPLES = 2000
_INTERVAL = (0.025, 0.975)  # quantiles: 95 %
_KEYS = ("index", "filename")
Groupings = Mapping[str, NDArray[np.str_]]  # name of the grouping -> each image's group (N), "" without one


def read_groups(path: Path, data: FaceDataset) -> Groupings:
    """Reads a groups file.

    Args:
        path: the CSV.
        data: the whole data file, before a split is chosen: what its rows name.

    Raises:
        DatasetError: the file is missing or not as described, or names more files that are not in the data than
            images were left out when it was read; the message names the line.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return _parse(csv.reader(file, strict=True), data)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except UnicodeDecodeError as e:
        raise DatasetError(f"{path}: not UTF-8 text ({e.reason})") from e
    except DatasetError as e:
        raise DatasetError(f"{path}: {e}") from None


def _parse(reader: Any, data: FaceDataset) -> Groupings:
    try:
        header = [name.strip() for name in next(reader, [])]
        names, find = _columns(header), _finder(header, data)
        cells: dict[str, list[str]] = {name: [""] * len(data) for name in names}
        lines: dict[int, int] = {}  # image -> line that names it
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise DatasetError(f"{len(row)} cells, the header has {len(header)}")
            values = dict(zip(header, (cell.strip() for cell in row), strict=True))
            if (image := find(values)) is None:
                continue
            if (first := lines.setdefault(image, reader.line_num)) != reader.line_num:
                raise DatasetError(f"names the same image as line {first}")
            for name in names:
                cells[name][image] = values[name]
    except (DatasetError, csv.Error) as e:
        raise DatasetError(f"line {max(1, reader.line_num)}: {e}") from None
    return {name: np.array(column, str) for name, column in cells.items()}


def _columns(header: list[str]) -> list[str]:
    """Returns the names of the groupings."""
    keys, names = [name for name in header if name in _KEYS], [name for name in header if name not in _KEYS]
    if len(keys) != 1:
        raise DatasetError(
            f"the header needs one column 'index' or 'filename', it has {', '.join(header) or 'nothing'}"
        )
    if not names or "" in names or len(set(names)) != len(names):
        raise DatasetError(f"beside '{keys[0]}' the header needs columns with different names, one a grouping")
    return names


def _finder(header: list[str], data: FaceDataset) -> Callable[[Mapping[str, str]], int | None]:
    """Returns a function from a row's cells to the number of its image, None for one that may have been left out."""
    left_out = sum(problem.count for problem in data.problems if not problem.total)
    if "filename" not in header:
        if left_out:
            raise DatasetError("images of the data were left out, so an index may name another: use 'filename'")
        return lambda values: _index(values["index"], len(data))
    if data.filenames is None:
        raise DatasetError("the data file names no files: use a column 'index'")
    numbers = {str(name): k for k, name in enumerate(data.filenames)}
    unknown: set[str] = set()

    def find(values: Mapping[str, str]) -> int | None:
        name = values["filename"]
        if name not in numbers:
            unknown.add(name)
            if len(unknown) > left_out:
                raise DatasetError(f"no image '{name}' in the data")
        return numbers.get(name)

    return find


def _index(text: str, count: int) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise DatasetError(f"index '{text}' is not a whole number")
    if int(text) >= count:
        raise DatasetError(f"index {text} is not within 0..{count - 1}")
    return int(text)


def measure_subgroups(answers: Predictions, groupings: Groupings, *, seed: int) -> dict[str, Any]:
    """Measures every group of every grouping.

    Args:
        answers: N rows.
        groupings: each image's group (N).
        seed: of the bootstrap.

    Returns:
        grouping -> `groups`: name -> n and, from 30 images on, accuracy and macro_f1 with their bootstrap 95 %
        intervals; `without_group`: number of images; `largest_gap`: figure -> the two groups furthest apart.
    """
    return {name: _measure(answers, column, seed) for name, column in groupings.items()}


def _measure(answers: Predictions, column: NDArray[np.str_], seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    groups: dict[str, Any] = {}
    draws: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name in sorted(set(column.tolist()) - {""}):
        chosen = answers.select(column == name)
        groups[name] = {"n": len(chosen.truth)}
        if len(chosen.truth) >= FEWEST:
            confusion = confusion_matrix(chosen)
            draws[name] = _figures(_resampled(confusion, rng))
            for figure, value in _figures(confusion).items():
                groups[name] |= {figure: rounded(value), f"{figure}_interval": _interval(draws[name][figure])}
    return {
        "groups": groups,
        "without_group": int((column == "").sum()),
        "largest_gap": {figure: _largest_gap(groups, draws, figure) for figure in ("accuracy", "macro_f1")},
    }


def _figures(confusion: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Returns accuracy and macro_f1, (...) each, of counts (..., L, L)."""
    right = np.diagonal(confusion, axis1=-2, axis2=-1).sum(axis=-1)
    return {"accuracy": right / confusion.sum(axis=(-2, -1)), "macro_f1": macro_f1(confusion)}


def _resampled(confusion: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns the confusion matrices, (R, L, L), of bootstrap samples of the images.

    Drawing n images with replacement draws their cells of the matrix from a multinomial distribution, and the
    figures depend on the cells alone (Efron and Tibshirani 1993, "An Introduction to the Bootstrap").
    """
    count = int(confusion.sum())
    return rng.multinomial(count, confusion.ravel() / count, _RESAMPLES).reshape(_RESAMPLES, *confusion.shape)


def _interval(draws: NDArray[np.float64]) -> list[float]:
    return [rounded(end) for end in np.quantile(draws, _INTERVAL)]


def _largest_gap(
    groups: Mapping[str, Any], draws: Mapping[str, Mapping[str, NDArray[np.float64]]], figure: str
) -> dict[str, Any] | None:
    """Returns the two groups furthest apart, None where fewer than two have enough images."""
    ordered = sorted(draws, key=lambda name: groups[name][figure])
    if len(ordered) < 2:
        return None
    low, high = ordered[0], ordered[-1]
    return {
        "lowest": low,
        "highest": high,
        "gap": rounded(groups[high][figure] - groups[low][figure]),
        "interval": _interval(draws[high][figure] - draws[low][figure]),
    }
