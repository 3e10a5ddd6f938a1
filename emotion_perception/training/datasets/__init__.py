# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads data sets of faces into one typed form; docs/data.md describes the forms that are read.

`load_dataset(path)` tells them apart by what is there:

* `.npz`: arrays of images, or UTKFace's JPEG chips (`npz`);
* `.csv`: the official `fer2013.csv`, with FER+'s votes where they lie beside it (`fer2013`);
* a folder that holds `cohn-kanade-images`: CK+ (`ckplus`);
* a `.mat` file, or a folder that holds `imdb.mat` or `wiki.mat`: faces of IMDB and Wikipedia (`imdb`);
* any other folder: images by class (`folders`).

Images of the last three and chips are decoded once, into a memory-mapped cache (`cache`).
"""

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from emotion_perception.core.classification.labels import canonical_label
from emotion_perception.core.errors import ConfigurationError, DatasetError, one_line
from emotion_perception.training.datasets.cache import default_folder
from emotion_perception.training.datasets.checks import DataReport, Duplicates, examine
from emotion_perception.training.datasets.ckplus import IMAGES, load_ckplus
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.fer2013 import load_fer2013
from emotion_perception.training.datasets.folders import load_folders
from emotion_perception.training.datasets.images import Images, MappedImages, chunks, find_leaks
from emotion_perception.training.datasets.imdb import FILES, load_imdb
from emotion_perception.training.datasets.npz import has_chips, load_chips, load_npz
from emotion_perception.training.datasets.problems import Problem, problems_of, refuse_past
from emotion_perception.training.datasets.subjects import FaceSequence, sequences, subject_folds
from emotion_perception.training.datasets.votes import vote_targets

__all__ = [
    "DataReport",
    "Duplicates",
    "FaceDataset",
    "FaceSequence",
    "MappedImages",
    "Images",
    "Problem",
    "chunks",
    "default_folder",
    "examine",
    "find_leaks",
    "load_dataset",
    "parse_options",
    "sequences",
    "subject_folds",
    "vote_targets",
]

_log = logging.getLogger(__name__)


def load_dataset(
    path: Path | str,
    *,
    max_bad: float = 0.05,
    expect_classes: Sequence[str] = (),
    expect_splits: Sequence[str] = (),
    **options: Any,
) -> FaceDataset:
    """Reads a data file or folder; what is bad in it is left out, counted and named in a warning.

    Args:
        path: what to read.
        max_bad: share of the images, and of the classes and splits, that may be bad, 0..1.
        expect_classes: classes of which there must be images, in any spelling.
        expect_splits: splits in which there must be images.
        options: of the loader for this form, see docs/data.md.

    Raises:
        DatasetError: it is missing, cut short, of no known form, or too much of it is bad; the message says what.
        ConfigurationError: an option is unknown or has a value that cannot work.
        ModelFileError: faces have to be found in the images and the detector's file is not there.
    """
    path = Path(path)
    loader = _loader_for(path)
    _check_options(loader, options, path)
    if not 0 <= max_bad <= 1:
        raise ConfigurationError(f"max_bad {max_bad} is not within 0..1")
    try:
        data = loader(path, **options)
        data = replace(data, problems=(*data.problems, *_absent(data, expect_classes, expect_splits)))
        refuse_past(max_bad, data.problems, len(data))
    except DatasetError as e:
        raise DatasetError(f"{path}: {e}") from None
    if not len(data):
        raise DatasetError(f"{path}: holds no images")
    for problem in data.problems:
        _log.warning("%s: left out %s", path, problem)
    return data


def parse_options(texts: Sequence[str]) -> dict[str, Any]:
    """Returns the options that a command line gives as KEY=VALUE, the values in YAML.

    Raises:
        ConfigurationError: one of them has not this form.
    """
    options = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip().isidentifier():
            raise ConfigurationError(f"--data-option {text}: write key=value")
        try:
            options[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as e:
            raise ConfigurationError(f"--data-option {text}: not YAML ({one_line(e)})") from e
    return options


def _loader_for(path: Path) -> Callable[..., FaceDataset]:
    if path.is_dir():
        if (path / IMAGES).is_dir():
            return load_ckplus
        return load_imdb if any((path / name).is_file() for name in FILES) else load_folders
    if not path.is_file():
        raise DatasetError(f"{path}: no such file or folder")
    if path.suffix.lower() == ".mat":
        return load_imdb
    if path.suffix.lower() == ".csv":
        return load_fer2013
    return load_chips if has_chips(path) else load_npz


def _check_options(loader: Callable[..., FaceDataset], options: Mapping[str, Any], path: Path) -> None:
    """Refuses an option that the loader does not have, or whose value is of another type than its default."""
    known = {
        name: entry.default
        for name, entry in inspect.signature(loader).parameters.items()
        if entry.kind is entry.KEYWORD_ONLY
    }
    for name, value in options.items():
        if name not in known:
            names = ", ".join(["max_bad", "expect_classes", "expect_splits", *(k for k in known if k != "detector")])
            raise ConfigurationError(f"data option '{name}' is unknown for {path}; it takes {names}")
        wanted = {float: (float, int)}.get(type(known[name]), (type(known[name]),))
        if name != "size" and type(value) not in wanted:
            raise ConfigurationError(f"data option {name} {value!r} is not of type {wanted[0].__name__}")


def _absent(data: FaceDataset, classes: Sequence[str], splits: Sequence[str]) -> tuple[Problem, ...]:
    """Returns the classes and splits that were expected and of which there is no image."""
    shown = {data.class_names[k] for k in np.unique(data.labels)}
    there = set() if data.splits is None else set(data.splits.tolist())
    no_class = [name for name in map(canonical_label, classes) if name not in shown]
    no_split = [name for name in splits if name not in there]
    return (
        *problems_of("class without images", no_class, total=len(classes)),
        *problems_of("missing split", no_split, total=len(splits)),
    )
