# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads datasets of face images into a `FaceDataset`; docs/data.md describes the formats.

`load_dataset(path)` recognizes the format:

* `.npz`: arrays of images, or UTKFace's JPEG chips (`npz`);
* `.csv`: the official `fer2013.csv`, with FER+'s votes if they are beside it (`fer2013`);
* a folder that holds `cohn-kanade-images`: CK+ (`ckplus`);
* a `.mat` file, or a folder that holds `imdb.mat` or `wiki.mat`: faces of IMDB and Wikipedia (`imdb`);
* any other folder: images by class (`folders`).

Images of the last three formats and JPEG chips are decoded once into a memory-mapped cache (`cache`).
"""

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from emotion_perception.core.classification import canonical_label
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.core.options import OptionLimits
from emotion_perception.core.paths import find_below
from emotion_perception.core.printable import printable
from emotion_perception.core.yaml_values import as_type
from emotion_perception.training.datasets.cache import default_folder
from emotion_perception.training.datasets.checks import DataReport, Duplicates, examine
from emotion_perception.training.datasets.ckplus import IMAGES, load_ckplus
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.fer2013 import load_fer2013
from emotion_perception.training.datasets.folders import load_folders
from emotion_perception.training.datasets.images import Images, MappedImages, chunks, find_leaks
from emotion_perception.training.datasets.imdb import FILES, load_imdb
from emotion_perception.training.datasets.npz import has_chips, load_chips, load_npz
from emotion_perception.training.datasets.problems import Problem, check_max_bad, problems_of
from emotion_perception.training.datasets.split_file import apply_split_file
from emotion_perception.training.datasets.subjects import FaceSequence, sequences, subject_folds
from emotion_perception.training.datasets.votes import vote_targets

__all__ = [
    "DataReport",
    "Duplicates",
    "FaceDataset",
    "FaceSequence",
    "Images",
    "MappedImages",
    "Problem",
    "chunks",
    "default_folder",
    "examine",
    "find_leaks",
    "load_dataset",
    "sequences",
    "subject_folds",
    "vote_targets",
]

_LIMITS = {"workers": (0, 64), "min_age": (0, 1000)}  # of options of loaders
_COMMON_OPTIONS = ("max_bad", "expect_classes", "expect_splits", "split_file")
_log = logging.getLogger(__name__)


def load_dataset(
    path: Path | str,
    *,
    max_bad: float = 0.05,
    expect_classes: Sequence[str] = (),
    expect_splits: Sequence[str] = (),
    split_file: str = "",
    **options: Any,
) -> FaceDataset:
    """Reads a dataset from a file or folder; unusable images are left out, and a warning names them.

    Args:
        path: file or folder.
        max_bad: largest fraction of unusable images, classes and splits, 0..1.
        expect_classes: classes that must have images, in any spelling.
        expect_splits: splits that must have images.
        split_file: moves images to another split, see `split_file`; name of a shipped split file or path.
        **options: options of the loader for the format, see docs/data.md.

    Raises:
        DatasetError: the dataset is missing, cut short, in an unknown format, or has too many unusable images.
        ConfigurationError: an option is unknown or has a wrong value.
        ModelFileError: faces have to be detected in the images, and the detector's file is missing.
    """
    path = Path(path)
    loader = _loader_for(path)
    options = _checked_options(loader, options, path)
    if type(max_bad) not in (int, float) or not 0 <= max_bad <= 1:
        raise ConfigurationError(f"data option max_bad {max_bad!r} is not within 0..1")
    for name, names in (("expect_classes", expect_classes), ("expect_splits", expect_splits)):
        if not isinstance(names, list | tuple) or not all(isinstance(item, str) for item in names):
            raise ConfigurationError(f"data option {name} {names!r} is not a list of names")
    if not isinstance(split_file, str):
        raise ConfigurationError(f"data option split_file {split_file!r} is not a name or path")
    try:
        data = loader(path, **options)
        data = apply_split_file(data, split_file) if split_file else data
        data = replace(data, problems=(*data.problems, *_absent(data, expect_classes, expect_splits)))
        check_max_bad(max_bad, data.problems, len(data))
    except DatasetError as e:
        raise DatasetError(f"{path}: {e}") from None
    if not len(data):
        left_out = "".join(f"; left out {problem}" for problem in data.problems)
        raise DatasetError(f"{path}: holds no images that can be used{left_out}")
    for problem in data.problems:
        _log.warning("%s: left out %s", printable(str(path)), problem)
    return data


def _loader_for(path: Path) -> Callable[..., FaceDataset]:
    if path.is_dir():
        if find_below(path, IMAGES):
            return load_ckplus
        return load_imdb if any(find_below(path, name) for name in FILES) else load_folders
    if not path.exists():
        raise DatasetError(f"{path}: no such file or folder")
    if not path.is_file():
        raise DatasetError(f"{path}: not a regular file")
    if path.suffix.lower() == ".mat":
        return load_imdb
    if path.suffix.lower() == ".csv":
        return load_fer2013
    return load_chips if has_chips(path) else load_npz


def _checked_options(loader: Callable[..., FaceDataset], options: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Returns the options in the types of the defaults.

    Raises:
        ConfigurationError: an option is unknown, or a value is out of range or of another type than the default.
    """
    known = {
        name: entry.default
        for name, entry in inspect.signature(loader).parameters.items()
        if entry.kind is entry.KEYWORD_ONLY
    }
    checked: dict[str, Any] = {}
    for name, given in options.items():
        if name not in known:
            names = ", ".join([*_COMMON_OPTIONS, *(k for k in known if k != "detector")])
            raise ConfigurationError(f"data option '{name}' is unknown for {path}; it takes {names}")
        wanted = type(known[name])
        checked[name] = as_type(given, wanted)
        if name != "size" and type(checked[name]) is not wanted:
            raise ConfigurationError(f"data option {name} {given!r} is not of type {wanted.__name__}")
        if name in _LIMITS and (violation := OptionLimits("", *_LIMITS[name]).violation(name, checked[name])):
            raise ConfigurationError(f"data option {violation}")
    return checked


def _absent(data: FaceDataset, classes: Sequence[str], splits: Sequence[str]) -> tuple[Problem, ...]:
    """Returns the expected classes and splits without images."""
    shown = {data.class_names[k] for k in np.unique(data.labels)}
    there = set() if data.splits is None else set(data.splits.tolist())
    no_class = [name for name in map(canonical_label, classes) if name not in shown]
    no_split = [name for name in splits if name not in there]
    return (
        *problems_of("class without images", no_class, total=len(classes)),
        *problems_of("missing split", no_split, total=len(splits)),
    )
