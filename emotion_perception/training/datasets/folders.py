# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads folders of images by class: `happy/a.png`, `train/0_happy/a.png`, or files named `an_0.png` in one folder."""

import contextlib
import logging
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion_perception.core.classification import LABELS, canonical_label
from emotion_perception.core.errors import DatasetError
from emotion_perception.core.folder_walk import FolderWalk
from emotion_perception.core.printable import printable
from emotion_perception.reporting.output_folder import MARKER
from emotion_perception.training.datasets.cache import FileListing, fingerprint, mapped_dataset
from emotion_perception.training.datasets.decode import read_image, size_wh
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.images import split_rank
from emotion_perception.training.datasets.problems import Problem, ProblemLog, problems_of

ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".jp2")
_OTHER_DATA = (".npz", ".csv", ".mat", ".zip", ".tar", ".gz", ".7z", ".rar")
_SIDE = 48  # pixels
_log = logging.getLogger(__name__)
_NUMBERED = re.compile(r"(?P<name>.*?)[ _.-]*\d+")  # an_0, human_face_12
_ORDERED = re.compile(r"[\d\W_]*(?P<name>.*?)[\d\W_]*")  # 0_angry, angry_0, 1. Anger, Angry (7)


@dataclass(frozen=True)
class _Found:
    """Path of an image, and the names of the folders between the root and the file."""

    path: Path
    folders: tuple[str, ...]


@dataclass(frozen=True)
class _Tree:
    """What a folder contains: readable images, all folders, images that are left out, and other files."""

    images: list[_Found]
    folders: list[tuple[str, ...]]
    log: ProblemLog
    ignored: ProblemLog


def load_folders(
    path: Path, *, size: int | Sequence[int] = _SIDE, color: bool = False, cache: str = "", workers: int = 0
) -> FaceDataset:
    """Reads a folder tree of images; other files are named in a warning, hidden ones ignored.

    A folder in it in which a command of this package has written its results is left out with a warning.

    The class of an image is the topmost of its folders that is named like a label, with or without a number (`angry`,
    `0_angry`); folders above, such as `archive/images`, and below do not matter. An image outside of folders has its
    class in its file name. If folders are called train, test, validation or similar, above or below the classes, they
    are the splits. All images are scaled to one size.

    Args:
        path: the folder.
        size: side, or [width, height], in pixels.
        color: BGR instead of gray.
        cache: folder of the decoded images, see `cache`.
        workers: number of decoding threads; 0 takes one per core, at most eight.

    Raises:
        ConfigurationError: `size` is out of range.
        DatasetError: there is no image, or the folder cannot be read.
    """
    wh = size_wh(size)
    tree, walk = _Tree([], [], ProblemLog(), ProblemLog()), FolderWalk()
    try:
        walk.leave_out_parents(path)
        _walk(path, (), tree, walk, path)
    except OSError as e:
        raise DatasetError(e.strerror or str(e)) from e
    left_out = tree.log.problems()
    for problem in tree.ignored.problems():
        _log.warning("%s: ignored %s", printable(str(path)), problem)
    if not tree.images:
        reasons = "".join(f"; left out {problem}" for problem in left_out)
        raise DatasetError(f"holds no images ({', '.join(ENDINGS)}){_other_data(path)}{reasons}")
    key = [str(path.absolute()), fingerprint(found.path for found in tree.images), tree.folders, wh, color]
    key += [list(map(str, left_out))] if left_out else []

    def listing() -> FileListing:
        return _list(path, tree, wh, color)

    return mapped_dataset(listing, name=printable(path.absolute().name), key=key, cache=cache, workers=workers)


def _walk(folder: Path, parents: tuple[str, ...], tree: _Tree, walk: FolderWalk, root: Path) -> None:
    """Adds what is below a folder to the tree.

    Raises:
        ConfigurationError: the tree is beyond the limits of `FolderWalk`.
        OSError: the folder cannot be read.
    """
    for path in walk.entries(folder, len(parents)):
        shown = _shown(path, root)
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if (path / MARKER).is_file():
                tree.ignored.add("folder with results of this package", shown)
                continue
            names = (*parents, path.name)
            tree.folders.append(names)
            try:
                _walk(path, names, tree, walk, root)
            except OSError as e:
                tree.log.add(f"folder that cannot be read: {e.strerror}", shown)
        elif not path.name.lower().endswith(ENDINGS):
            tree.ignored.add("not an image by its suffix", shown)
        elif reason := _unreadable(path):
            tree.log.add(reason, shown)
        else:
            tree.images.append(_Found(path, parents))


def _unreadable(path: Path) -> str:
    """Returns why a file cannot be an image, empty if nothing is known against it."""
    if not path.exists():
        return "link to a missing file"
    if not path.is_file():
        return "not a regular file"
    return "" if os.access(path, os.R_OK) else "no permission to read"


def _list(root: Path, tree: _Tree, wh: tuple[int, int], color: bool) -> FileListing:
    """Returns the images with class and split."""
    splits = _split_names(tree)
    levels = _class_levels(tree.images)
    usual_level = Counter(level for level in levels if level is not None).most_common(1)
    log, kept, labels, splits_of = tree.log, [], [], []
    for found, level in zip(tree.images, levels, strict=True):
        name, split = _shown(found.path, root), _split_of(found.folders)
        if splits and split is None:
            log.add(f"image outside the splits {', '.join(map(printable, splits.values()))}", name)
            continue
        written = _written_class(found, level, usual_level[0][0] if usual_level else None)
        if (label := _label(written)) is None:
            log.add("wrong label", f"{name}: class '{printable(written)}'")
            continue
        labels.append(label)
        kept.append(found)
        splits_of.append(splits[split.lower()] if split else "")
    classes = _class_folders(tree.folders, labels)
    class_names = _ordered({*labels, *(_label(names[-1]) or "" for names in classes)})
    return FileListing(
        names=[_shown(found.path, root) for found in kept],
        labels=[class_names.index(label) for label in labels],
        class_names=class_names,
        shape=(wh[1], wh[0], 3) if color else (wh[1], wh[0]),
        read=lambda k: read_image(kept[k].path, wh=wh, color=color),
        splits=[printable(name) for name in splits_of] if splits else None,
        split_order=tuple(map(printable, sorted(splits.values(), key=lambda name: split_rank(name) or 0))),
        problems=(*log.problems(), *_empty(tree, classes, splits)),
    )


def _class_levels(images: Sequence[_Found]) -> list[int | None]:
    """Returns for each image which of its folders is the class, None where none is named like a label.

    If all images are in folders of the same label, e.g. `faces`, that have folders named like labels in them, the inner
    ones are the classes.
    """
    candidates = [
        [level for level, name in enumerate(found.folders) if _label(name) and _split_level(found.folders) != level]
        for found in images
    ]
    while all(len(levels) > 1 for levels in candidates):
        outer = {_label(found.folders[levels[0]]) for found, levels in zip(images, candidates, strict=True)}
        if len(outer) > 1:
            break
        candidates = [levels[1:] for levels in candidates]
    return [levels[0] if levels else None for levels in candidates]


def _written_class(found: _Found, level: int | None, usual_level: int | None) -> str:
    """Returns the class as it is written: the name of a folder, or the start of the file name.

    Args:
        found: the image.
        level: which of its folders is named like a label, or None.
        usual_level: which folder it is for most images; None if no folder is named like a label.
    """
    if level is not None:
        return found.folders[level]
    others = [name for k, name in enumerate(found.folders) if k != _split_level(found.folders)]
    if others and usual_level is not None:
        return found.folders[min(usual_level, len(found.folders) - 1)]
    numbered = _NUMBERED.fullmatch(found.path.stem)
    name = numbered["name"] if numbered else found.path.stem
    return others[-1] if others and _label(name) is None else name


def _split_level(folders: Sequence[str]) -> int | None:
    """Returns which of the folders is a split, None if none is."""
    return next((level for level, name in enumerate(folders) if split_rank(name) is not None), None)


def _split_of(folders: Sequence[str]) -> str | None:
    level = _split_level(folders)
    return None if level is None else folders[level]


def _split_names(tree: _Tree) -> dict[str, str]:
    """Returns the splits: the lower-case name -> the name as the first such folder has it."""
    found: dict[str, str] = {}
    for folders in tree.folders:
        if (split := _split_of(folders)) is not None:
            found.setdefault(split.lower(), split)
    return found


def _label(name: str) -> str | None:
    """Returns the label of a folder or file name, with or without a number; None if it is not a label."""
    ordered = _ORDERED.fullmatch(name)
    for spelling in (name, ordered["name"] if ordered else ""):
        with contextlib.suppress(DatasetError):
            return canonical_label(spelling)
    return None


def _ordered(labels: set[str]) -> tuple[str, ...]:
    """Returns the emotions in their usual order, then the other labels by name."""
    return (*(label for label in LABELS if label in labels), *sorted(labels - set(LABELS)))


def _class_folders(folders: Sequence[tuple[str, ...]], labels: Sequence[str]) -> list[tuple[str, ...]]:
    """Returns the folders that are classes: the topmost of each path that are named like a label.

    Args:
        folders: all folders.
        labels: those of the images; a folder of another label is a class as well unless it contains folders.
    """
    parents = {names[:-1] for names in folders}
    found = [names for names in folders if (label := _label(names[-1])) and (label in labels or names not in parents)]
    return [names for names in found if not any(names[:k] in found for k in range(1, len(names)))]


def _empty(tree: _Tree, classes: Sequence[tuple[str, ...]], splits: Mapping[str, str]) -> tuple[Problem, ...]:
    """Returns the splits and the folders of classes without images."""
    filled = {found.folders[:k] for found in tree.images for k in range(len(found.folders) + 1)}
    used = {(_split_of(found.folders) or "").lower() for found in tree.images}
    empty_splits = [printable(name) for split, name in splits.items() if split not in used]
    expected = [names for names in classes if (split := _split_of(names)) is None or split.lower() in used]
    empty_classes = [printable("/".join(names)) for names in expected if names not in filled]
    return (
        *problems_of("split without images", empty_splits, total=len(splits)),
        *problems_of("class without images", empty_classes, total=len(expected)),
    )


def _shown(path: Path, root: Path) -> str:
    return printable(str(path.relative_to(root)))


def _other_data(folder: Path) -> str:
    """Returns a hint at files of other formats in a folder without images."""
    with contextlib.suppress(OSError):
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.lower().endswith(_OTHER_DATA))
        return f"; if you mean {printable(names[0])}, give its path" if names else ""
    return ""
