# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads folders of images by class: `happy/a.png`, `train/happy/a.png`, or files named `an_0.png` in one folder."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion_perception.core.classification import LABELS, canonical_label
from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets.cache import FileListing, fingerprint, mapped_dataset
from emotion_perception.training.datasets.decode import read_image, size_wh
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.problems import Problem, ProblemLog, problems_of

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_SIDE = 48  # pixels
_SPLITS = (  # an image that is also in a later one has leaked
    ("train", "training"),
    ("val", "valid", "validation", "dev", "publictest"),
    ("test", "testing", "eval", "privatetest"),
)
_NUMBERED = re.compile(r"(?P<name>.*?)[ _.-]*\d+")  # an_0, human_face_12


@dataclass(frozen=True)
class _Found:
    """Path of an image, and the names of the folders between the root and the file."""

    path: Path
    folders: tuple[str, ...]


def load_folders(
    path: Path, *, size: int | Sequence[int] = _SIDE, color: bool = False, cache: str = "", workers: int = 0
) -> FaceDataset:
    """Reads a folder tree of PNG, JPEG, BMP and WebP images; other files and hidden files are ignored.

    If a top folder is called train, test, validation or similar, such folders are the splits. Below them the name of a
    folder is the class of all images in it, at any depth; an image outside of folders has its class in its file name.
    All images are scaled to one size.

    Args:
        path: the folder.
        size: side, or [width, height], in pixels.
        color: BGR instead of gray.
        cache: folder of the decoded images, see `cache`.
        workers: number of decoding threads; 0 takes one per core, at most eight.

    Raises:
        ConfigurationError: `size` is out of range.
        DatasetError: there is no image, or a folder cannot be read.
    """
    wh = size_wh(size)
    folders: list[tuple[str, ...]] = []
    images = list(_walk(path, (), folders))
    if not images:
        raise DatasetError("holds no images")
    key = [str(path.absolute()), fingerprint(found.path for found in images), folders, wh, color]

    def listing() -> FileListing:
        return _list(path, images, folders, wh, color)

    return mapped_dataset(listing, name=path.absolute().name, key=key, cache=cache, workers=workers)


def _walk(folder: Path, parents: tuple[str, ...], folders: list[tuple[str, ...]]) -> Iterator[_Found]:
    """Yields the images below a folder in the order of their names; appends every folder to `folders`."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as e:
        raise DatasetError(f"{folder}: {e.strerror}") from e
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            folders.append((*parents, entry.name))
            yield from _walk(Path(entry.path), (*parents, entry.name), folders)
        elif entry.name.lower().endswith(ENDINGS):
            yield _Found(Path(entry.path), parents)


def _list(
    root: Path, images: Sequence[_Found], folders: Sequence[tuple[str, ...]], wh: tuple[int, int], color: bool
) -> FileListing:
    """Returns the images with class and split."""
    splits_found = [names[0] for names in folders if len(names) == 1 and _split_rank(names[0]) is not None]
    depth = 1 if splits_found else 0
    log, kept, labels = ProblemLog(), [], []
    for found in images:
        name = str(found.path.relative_to(root))
        if depth and (not found.folders or found.folders[0] not in splits_found):
            log.add("image outside the splits", name)
            continue
        if (label := _label(_class_of(found, depth))) is None:
            log.add("wrong label", name)
            continue
        labels.append(label)
        kept.append(found)
    classes = [names for names in folders if len(names) == depth + 1 and _label(names[depth])]
    class_names = _ordered({*labels, *(canonical_label(names[depth]) for names in classes)})
    return FileListing(
        names=[str(found.path.relative_to(root)) for found in kept],
        labels=[class_names.index(label) for label in labels],
        class_names=class_names,
        shape=(wh[1], wh[0], 3) if color else (wh[1], wh[0]),
        read=lambda k: read_image(kept[k].path, wh=wh, color=color),
        splits=[found.folders[0] for found in kept] if depth else None,
        split_order=tuple(sorted(splits_found, key=lambda name: _split_rank(name) or 0)),
        problems=(*log.problems(), *_empty(images, classes, splits_found)),
    )


def _class_of(found: _Found, depth: int) -> str:
    """Returns the class as it is written: the name of the folder, or the start of the file name."""
    if len(found.folders) > depth:
        return found.folders[depth]
    numbered = _NUMBERED.fullmatch(found.path.stem)
    return numbered["name"] if numbered else found.path.stem


def _split_rank(name: str) -> int | None:
    """Returns the rank of a split by its name, 0 for training; None if it is not a split."""
    return next((rank for rank, names in enumerate(_SPLITS) if name.lower() in names), None)


def _label(name: str) -> str | None:
    try:
        return canonical_label(name)
    except DatasetError:
        return None


def _ordered(labels: set[str]) -> tuple[str, ...]:
    """Returns the emotions in their usual order, then the other labels by name."""
    return (*(label for label in LABELS if label in labels), *sorted(labels - set(LABELS)))


def _empty(images: Sequence[_Found], classes: Sequence[tuple[str, ...]], splits: Sequence[str]) -> tuple[Problem, ...]:
    """Returns the folders of splits and classes without images."""
    filled = {found.folders[:k] for found in images for k in range(len(found.folders) + 1)}
    empty_splits = [name for name in splits if (name,) not in filled]
    expected = [names for names in classes if not splits or (names[0] in splits and names[0] not in empty_splits)]
    empty_classes = ["/".join(names) for names in expected if names not in filled]
    return (
        *problems_of("split without images", empty_splits, total=len(splits)),
        *problems_of("class without images", empty_classes, total=len(expected)),
    )
