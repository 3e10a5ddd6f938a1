# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Split files: rows of one split of a dataset that form another split, e.g. a validation split of the training images.

A split file is JSON with the keys `split` (name of the new split), `of` (name of the split whose rows are taken),
`rows` (indices into the images of that split) and `images_sha256` (hash of the pixels of all its images).
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.core.paths import local_path
from emotion_perception.core.text_files import read_text
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.images import Images, chunks

SHIPPED = Path(__file__).resolve().parents[1] / "splits"


def apply_split_file(data: FaceDataset, name_or_path: str) -> FaceDataset:
    """Moves the rows that a split file names to another split; the images and their order stay the same.

    Args:
        data: a dataset with splits.
        name_or_path: name of a shipped split file, e.g. `fer2013`, or path of a .json file.

    Raises:
        ConfigurationError: there is no such split file, or it is malformed.
        DatasetError: the dataset does not have the split, or other images in it.
    """
    given = name_or_path.lower().endswith(".json")
    path = local_path(name_or_path) if given else SHIPPED / f"{name_or_path}.json"
    split, source, rows, sha256 = _read(path, name_or_path)
    if data.splits is None or source not in data.splits:
        raise DatasetError(f"has no split {source}, which {path.name} divides")
    of_source = np.flatnonzero(data.splits == source)
    if len(rows) and rows.max() >= len(of_source):
        raise DatasetError(f"{source} has {len(of_source)} images, but {path.name} names row {rows.max()}")
    if images_sha256(data.images[of_source]) != sha256:
        raise DatasetError(f"the images of {source} are not those for which {path.name} was made")
    splits = data.splits.astype(object)  # a str array would cut longer names
    splits[of_source[rows]] = split
    return replace(data, splits=splits.astype(str))


def images_sha256(images: Images) -> str:
    """Returns the hash of the pixels of all images, in their order."""
    found = hashlib.sha256()
    for part in chunks(images):
        found.update(part.tobytes())
    return found.hexdigest()


def _read(path: Path, name: str) -> tuple[str, str, NDArray[np.int64], str]:
    try:
        content = json.loads(read_text(path))
        rows, names = content["rows"], (content["split"], content["of"], content["images_sha256"])
        if not isinstance(rows, list) or not all(type(row) is int and row >= 0 for row in rows):
            raise ValueError("rows are not a list of indices")
        if len(set(rows)) < len(rows):
            raise ValueError("rows has an index twice")
        if not all(isinstance(name, str) and name.strip() for name in names):
            raise ValueError("split, of or images_sha256 is not a name")
        return names[0], names[1], np.array(rows, np.int64), names[2]
    except FileNotFoundError:
        shipped = ", ".join(sorted(entry.stem for entry in SHIPPED.glob("*.json")))
        raise ConfigurationError(f"no split file '{name}'; shipped: {shipped}; or give the path of a .json") from None
    except OSError as e:
        raise ConfigurationError(f"{path}: {e.strerror}") from e
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as e:
        raise ConfigurationError(f"{path}: not a split file ({type(e).__name__}: {e})") from e
