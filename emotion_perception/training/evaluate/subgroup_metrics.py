# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subgroup metrics: whether a model predicts equally well for groups of people that the user's file names.

No attribute is guessed from an image. The file is a CSV with a header. The column `index` (row of the dataset, from 0)
or `filename` identifies the image; each other column is an attribute, e.g. `gender`, whose values are the subgroups. An
empty cell means that the value is not known.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import DatasetError, clipped
from emotion_perception.core.printable import printable
from emotion_perception.core.text_files import read_table
from emotion_perception.reporting.metrics import Predictions, confusion_matrix, macro_f1, rounded
from emotion_perception.training.datasets import FaceDataset

MIN_IMAGES = 30  # of a subgroup whose metrics are reported
_RESAMPLES = 2000
_INTERVAL = (0.025, 0.975)  # quantiles: 95 %
_LONGEST_INDEX = 20  # digits
_KEYS = ("index", "filename")
Groupings = Mapping[str, NDArray[np.str_]]  # name of the attribute -> subgroup of each image (N), "" where not known


def read_subgroups(path: Path, data: FaceDataset) -> Groupings:
    """Reads the subgroups of a dataset's images from a CSV file.

    Args:
        path: the CSV file.
        data: the whole dataset, all splits.

    Raises:
        DatasetError: the file is missing or malformed, or names more unknown images than were left out when the dataset
            was read; the message contains the line.
    """
    try:
        return _parse(read_table(path), data)
    except DatasetError as e:
        raise DatasetError(f"{path}: {e}") from None


def _parse(table: Iterator[tuple[int, list[str]]], data: FaceDataset) -> Groupings:
    line, header = next(table, (1, []))
    header = list(map(printable, header))
    lines: dict[int, int] = {}  # row of the image -> line of the file
    try:
        names, find = _columns(header), _finder(header, data)
        cells: dict[str, list[str]] = {name: [""] * len(data) for name in names}
    except DatasetError as e:
        raise DatasetError(f"line {line}: {e}") from None
    for line, row in table:
        try:
            if len(row) != len(header):
                raise DatasetError(f"{len(row)} cells, the header has {len(header)}")
            values = dict(zip(header, row, strict=True))
            if (image := find(values)) is None:
                continue
        except DatasetError as e:
            raise DatasetError(f"line {line}: {e}") from None
        if (first := lines.setdefault(image, line)) != line:
            raise DatasetError(f"line {line}: names the same image as line {first}")
        for name in names:
            cells[name][image] = printable(values[name])
    return {name: np.array(column, str) for name, column in cells.items()}


def _columns(header: list[str]) -> list[str]:
    """Returns the names of the attributes."""
    keys, names = [name for name in header if name in _KEYS], [name for name in header if name not in _KEYS]
    if len(keys) != 1:
        raise DatasetError(
            f"the header needs one column 'index' or 'filename', it has {', '.join(header) or 'nothing'}"
        )
    if not names or "" in names or len(set(names)) != len(names):
        raise DatasetError(f"beside '{keys[0]}' the header needs columns with different names, one for each attribute")
    return names


def _finder(header: list[str], data: FaceDataset) -> Callable[[Mapping[str, str]], int | None]:
    """Returns a function from the cells of a line to the row of its image, None for an image that was left out."""
    left_out = sum(problem.count for problem in data.problems if not problem.total)
    if "filename" not in header:
        if left_out:
            raise DatasetError("images of the dataset were left out, which changes the indices: use 'filename'")
        return lambda values: _index(values["index"], len(data))
    if data.filenames is None:
        raise DatasetError("the dataset has no file names: use a column 'index'")
    numbers = {str(name): k for k, name in enumerate(data.filenames)}
    if len(numbers) < len(data):
        raise DatasetError(f"{len(data)} images of the dataset have {len(numbers)} file names: use a column 'index'")
    unknown: set[str] = set()

    def find(values: Mapping[str, str]) -> int | None:
        name = values["filename"]
        if name not in numbers:
            unknown.add(name)
            if len(unknown) > left_out:
                raise DatasetError(f"no image '{name}' in the dataset")
        return numbers.get(name)

    return find


def _index(text: str, count: int) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise DatasetError(f"index '{text}' is not a whole number")
    if len(text) > _LONGEST_INDEX or int(text) >= count:
        raise DatasetError(f"index {clipped(text)} is not within 0..{count - 1}")
    return int(text)


def measure_subgroups(predictions: Predictions, groupings: Groupings, *, seed: int) -> dict[str, Any]:
    """Computes the metrics of each subgroup.

    Args:
        predictions: one row for each image.
        groupings: subgroup of each image for each attribute.
        seed: of the bootstrap.

    Returns:
        attribute -> `groups`: subgroup -> n and, from 30 images on, accuracy and macro_f1 with their bootstrap 95 %
        intervals; `without_group`: number of images without a value; `largest_gap`: metric -> the two subgroups with
        the lowest and the highest value.
    """
    return {name: _measure(predictions, column, seed) for name, column in groupings.items()}


def _measure(predictions: Predictions, column: NDArray[np.str_], seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    groups: dict[str, Any] = {}
    draws: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name in sorted(set(column.tolist()) - {""}):
        chosen = predictions.select(column == name)
        groups[name] = {"n": len(chosen.truth)}
        if len(chosen.truth) >= MIN_IMAGES:
            confusion = confusion_matrix(chosen)
            draws[name] = _metrics(_resampled(confusion, rng))
            for metric, value in _metrics(confusion).items():
                groups[name] |= {metric: rounded(value), f"{metric}_interval": _interval(draws[name][metric])}
    return {
        "groups": groups,
        "without_group": int((column == "").sum()),
        "largest_gap": {metric: _largest_gap(groups, draws, metric) for metric in ("accuracy", "macro_f1")},
    }


def _metrics(confusion: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Returns accuracy and macro_f1, (...) each, of confusion matrices (..., L, L)."""
    right = np.diagonal(confusion, axis1=-2, axis2=-1).sum(axis=-1)
    return {"accuracy": right / confusion.sum(axis=(-2, -1)), "macro_f1": macro_f1(confusion)}


def _resampled(confusion: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns the confusion matrices, (R, L, L), of bootstrap samples of the images.

    When n images are drawn with replacement, the cells of their confusion matrix follow a multinomial distribution, and
    the metrics depend on the cells alone (Efron and Tibshirani 1993, "An Introduction to the Bootstrap").
    """
    count = int(confusion.sum())
    return rng.multinomial(count, confusion.ravel() / count, _RESAMPLES).reshape(_RESAMPLES, *confusion.shape)


def _interval(draws: NDArray[np.float64]) -> list[float]:
    return [rounded(end) for end in np.quantile(draws, _INTERVAL)]


def _largest_gap(
    groups: Mapping[str, Any], draws: Mapping[str, Mapping[str, NDArray[np.float64]]], metric: str
) -> dict[str, Any] | None:
    """Returns the subgroups with the lowest and highest value, None where fewer than two have enough images."""
    ordered = sorted(draws, key=lambda name: groups[name][metric])
    if len(ordered) < 2:
        return None
    low, high = ordered[0], ordered[-1]
    return {
        "lowest": low,
        "highest": high,
        "gap": rounded(groups[high][metric] - groups[low][metric]),
        "interval": _interval(draws[high][metric] - draws[low][metric]),
    }
