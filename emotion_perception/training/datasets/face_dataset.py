# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The dataset class that all loaders return."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import canonical_label
from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets.images import LARGEST_IMAGE, Images, MappedImages, deviations
from emotion_perception.training.datasets.problems import Problem

IGNORE_HINT = "leave the images out with --ignore-classes"
RECIPE_HINT = "add it to the recipe's labels, or leave the images out with --set 'ignore_classes=[...]'"
MIN_DEVIATION = 1.0  # gray levels; an image with a lower standard deviation is blank


@dataclass(frozen=True, eq=False)
class FaceDataset:
    """Images of faces with labels and other columns.

    Attributes:
        images: uint8, (N, H, W) gray or (N, H, W, 3) BGR, in memory or memory-mapped.
        labels: int64 (N), indices into `class_names`.
        class_names: canonical label of each class.
        splits: name of the split of each image (N), or None if the dataset has no splits.
        leak: bool (N), True if the image is also in a later split, e.g. a test split.
        votes: float32 (N, V), fraction of the taggers that chose each of `vote_names`; rows may be all zero.
        vote_names: canonical label (or `unknown`, `nf`) of each column of `votes`.
        rejected: bool (N), True if the image has no face according to the taggers.
        subjects: person in each image (N), or group of near-duplicate images; a split never divides a subject.
        filenames: file name of each image (N).
        problems: what the loader has left out.
    """

    images: Images
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    splits: NDArray[np.str_] | None = None
    leak: NDArray[np.bool_] | None = None
    votes: NDArray[np.float32] | None = None
    vote_names: tuple[str, ...] = ()
    rejected: NDArray[np.bool_] | None = None
    subjects: NDArray[np.str_] | None = None
    filenames: NDArray[np.str_] | None = None
    problems: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.images) if self.images.ndim else 0
        if self.images.dtype != np.uint8 or self.images.ndim not in (3, 4):
            raise DatasetError(f"images are {self.images.dtype} {self.images.shape}, not uint8 (N, H, W[, 3])")
        if (self.images.ndim == 4 and self.images.shape[3] != 3) or 0 in self.images.shape[1:]:
            raise DatasetError(f"images of shape {self.images.shape} are neither gray nor color")
        if (pixels := self.images.shape[1] * self.images.shape[2]) > LARGEST_IMAGE:
            raise DatasetError(f"images of {pixels / 1e6:.0f} megapixels are larger than {LARGEST_IMAGE // 1_000_000}")
        for name, value in self._columns().items():
            if value.ndim == 0 or len(value) != count:
                raise DatasetError(f"{name} has the shape {value.shape} for {count} images")
        if count and not 0 <= self.labels.min() <= self.labels.max() < len(self.class_names):
            found = f"labels are {self.labels.min()}..{self.labels.max()}"
            raise DatasetError(f"{found}, but {len(self.class_names)} class names have the numbers from 0")

    def __len__(self) -> int:
        return len(self.images)

    def select(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> "FaceDataset":
        """Returns the rows given by a mask, bool (N), or by indices; no image is read."""
        return replace(self, **{name: value[keep] for name, value in self._columns().items()})

    def joined(self, other: "FaceDataset") -> "FaceDataset":
        """Returns these images and, after them, other images of the same dataset."""
        added = other._columns()

        def join(value: Any, more: Any) -> Any:
            return value.joined(more) if isinstance(value, MappedImages) else np.concatenate([value, more])

        return replace(self, **{name: join(value, added[name]) for name, value in self._columns().items()})

    def split(self, name: str | None, *, option: str = "--split") -> "FaceDataset":
        """Returns the images of a split.

        Args:
            name: of the split; None where the dataset has none.
            option: how the user of this program names a split; for the error message.

        Raises:
            DatasetError: the dataset has splits and no name is given, or it has no split with this name.
        """
        if self.splits is None:
            if name is not None:
                raise DatasetError(f"no split '{name}': the dataset has no splits")
            return self
        names = sorted(set(self.splits.tolist()))
        if name is None:
            raise DatasetError(f"the dataset has the splits {', '.join(names)}: name one with {option}")
        if name not in names:
            raise DatasetError(f"no split '{name}'; the dataset has {', '.join(names)}")
        return self.select(self.splits == name)

    def labels_in(self, order: Sequence[str], *, hint: str = IGNORE_HINT) -> NDArray[np.int64]:
        """Returns the labels as indices into another label order, mapped by name, int64 (N).

        Args:
            order: labels.
            hint: what the user can do about other labels, for the error message.

        Raises:
            DatasetError: an image has a label that is not in `order`.
        """
        table = np.array([order.index(name) if name in order else -1 for name in self.class_names], np.int64)
        numbers = table[self.labels]
        if (numbers < 0).any():
            unknown = sorted({self.class_names[k] for k in set(self.labels[numbers < 0].tolist())})
            raise DatasetError(f"the model has no label {', '.join(unknown)}; {hint}")
        return numbers

    def without_classes(self, names: Iterable[str]) -> "FaceDataset":
        """Returns the images without those of some classes.

        Args:
            names: classes to leave out, in any spelling; the dataset may lack them.

        Raises:
            DatasetError: a name is that of no label, see `canonical_label`.
        """
        unwanted = {canonical_label(name) for name in names}
        return self.select(np.array([self.class_names[k] not in unwanted for k in self.labels], bool))

    def usable_for_training(self) -> "FaceDataset":
        """Returns the images to train on: not blank, not rejected as no face, not leaked from a test split."""
        keep = deviations(self.images) >= MIN_DEVIATION
        for unwanted in (self.leak, self.rejected):
            if unwanted is not None:
                keep &= ~unwanted
        return self.select(keep)

    def _columns(self) -> dict[str, Any]:
        """Returns the attributes with a value for each image."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray | MappedImages)}
