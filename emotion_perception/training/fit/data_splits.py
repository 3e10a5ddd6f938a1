# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Splits a dataset for training: training, calibration and validation images, or the folds of a cross-validation."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import ModelSpec, to_input
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.training.datasets import FaceDataset, chunks, subject_folds
from emotion_perception.training.datasets.images import digests
from emotion_perception.training.recipe import TRAIN_SPLIT, VAL_SPLIT, Recipe

_VALIDATION_FRACTION = 0.1  # of the training images, where no validation split is named


@dataclass(frozen=True)
class DataSplits:
    """The images of a training run by their use; `disjoint` leaves no image in two of them.

    Attributes:
        train: the network is trained on them.
        calibration: the calibration temperature is fitted on them after training.
        validation: the best epoch is selected on them.
        unlabeled: the network is trained on them, too, by the probabilities of teachers alone; None without.
    """

    train: FaceDataset
    calibration: FaceDataset
    validation: FaceDataset
    unlabeled: FaceDataset | None = None

    def counts(self) -> str:
        """Returns the numbers of images in words."""
        unlabeled = "" if self.unlabeled is None else f", {len(self.unlabeled)} unlabeled"
        return f"{len(self.train)} training{unlabeled} and {len(self.validation)} validation images"

    def check(self, source: str) -> None:
        """Checks that there are images to train on and to validate with.

        Args:
            source: where the images come from, for the message.

        Raises:
            DatasetError: there are too few.
        """
        if len(self.train) < 2 or not len(self.validation):
            raise DatasetError(f"{source}: {self.counts()}")

    def disjoint(self) -> "DataSplits":
        """Returns the splits without images that are, with equal pixels, in two of them.

        Such an image stays a validation image, else a training image, else a calibration image. Unlabeled images of a
        person in another part are left out, too.
        """
        validation, train = digests(self.validation.images), digests(self.train.images)
        calibration = digests(self.calibration.images)
        unlabeled = self.unlabeled
        if unlabeled is not None:
            keep = ~np.isin(digests(unlabeled.images), np.concatenate([validation, train, calibration]))
            if unlabeled.subjects is not None:
                parts = (self.validation, self.train, self.calibration)
                people = [part.subjects for part in parts if part.subjects is not None]
                keep &= ~np.isin(unlabeled.subjects, np.concatenate(people))
            unlabeled = unlabeled.select(keep)
        return DataSplits(
            _without(self.train, train, validation),
            _without(self.calibration, calibration, np.concatenate([validation, train])),
            self.validation,
            unlabeled,
        )


def _without(data: FaceDataset, own: NDArray[np.int64], others: NDArray[np.int64]) -> FaceDataset:
    """Returns the images whose digest is not among those of other images."""
    unwanted = np.isin(own, others)
    return data.select(~unwanted) if unwanted.any() else data


def split_data(data: FaceDataset, recipe: Recipe, train_split: str, val_split: str) -> DataSplits:
    """Splits a dataset for a recipe; the result depends on the dataset and the recipe alone.

    Blank images, images without a face and images that also stand in a later split are left out of training; of
    unlabeled images also those that stand in any other split. See also `DataSplits.disjoint`.

    Args:
        data: the whole dataset.
        recipe: seed, calibration fraction, ignored classes, balance and the unlabeled split.
        train_split: name of the dataset's training split; the default is ignored where the dataset has no splits.
        val_split: name of its validation split; empty, or a dataset without splits, takes a tenth of the images.

    Raises:
        DatasetError: the dataset has no split of one of these names, or too few subjects to be divided.
        ConfigurationError: one split is named for two uses.
    """
    _check_names(data, train_split, val_split, recipe.unlabeled_split)
    unlabeled = _unlabeled(data, recipe.unlabeled_split) if recipe.unlabeled_split else None
    data = data.without_classes(recipe.ignore_classes) if recipe.ignore_classes else data
    train = data if data.splits is None else data.split(train_split)
    if data.splits is not None and val_split:
        validation = data.split(val_split)
    else:
        train, validation = split_off(train, _VALIDATION_FRACTION, recipe.seed)
    train, calibration = split_off(train.usable_for_training(), recipe.calibration_fraction, recipe.seed)
    train = downsample(train, recipe.seed) if recipe.balance == "downsample" else train
    return DataSplits(train, calibration, validation, unlabeled).disjoint()


def _check_names(data: FaceDataset, train_split: str, val_split: str, unlabeled_split: str) -> None:
    """Checks the names of the splits.

    Raises:
        ConfigurationError: one split is named for two uses.
        DatasetError: a dataset without splits is asked for one, by another name than the defaults.
    """
    if data.splits is not None:
        if val_split and train_split == val_split:
            raise ConfigurationError(
                f"--train-split and --val-split are both '{val_split}'; --val-split '' takes a tenth of the split"
            )
        for name, use in ((train_split, "training"), (val_split, "validation")):
            if unlabeled_split and unlabeled_split == name:
                raise ConfigurationError(f"unlabeled_split of the recipe '{name}' is the {use} split; name another one")
    for name, default in ((train_split, TRAIN_SPLIT), (val_split, VAL_SPLIT)):
        if data.splits is None and name not in ("", default):
            raise DatasetError(f"no split '{name}': the dataset has no splits")


def _unlabeled(data: FaceDataset, split: str) -> FaceDataset:
    """Returns the images of a split that are usable for training and in no other split."""
    unlabeled = data.split(split, option="unlabeled_split of the recipe").usable_for_training()
    assert data.splits is not None  # data.split would have failed
    elsewhere = digests(data.select(data.splits != split).images)
    return unlabeled.select(~np.isin(digests(unlabeled.images), elsewhere))


def splits_sha256(splits: DataSplits) -> str:
    """Returns a hash of the images, labels and votes of a training run by their use, in whichever files they are."""
    found = hashlib.sha256()
    unlabeled = () if splits.unlabeled is None else (splits.unlabeled,)
    for part in (splits.train, splits.calibration, splits.validation, *unlabeled):
        found.update(repr((part.images.shape, part.class_names, part.vote_names)).encode())
        for images in chunks(part.images):
            found.update(images.tobytes())
        found.update(part.labels.tobytes())
        if part.votes is not None:
            found.update(part.votes.tobytes())
    return found.hexdigest()


def split_off(data: FaceDataset, fraction: float, seed: int) -> tuple[FaceDataset, FaceDataset]:
    """Splits a dataset at random into the rest and about `fraction` of it.

    Where the dataset has subjects, all images of a subject are in the same part: of few subjects, one is the fraction.

    Raises:
        DatasetError: there are fewer than two subjects.
    """
    if data.subjects is not None and fraction:
        people = len(np.unique(data.subjects))
        if people < 2:
            raise DatasetError(
                f"images of {people} subject cannot be divided: name a validation split and set calibration_fraction=0"
            )
        return next(iterate_folds(data, min(max(2, round(1 / fraction)), people), seed))
    drawn = np.random.default_rng(seed).random(len(data)) < fraction
    return data.select(~drawn), data.select(drawn)


def iterate_folds(data: FaceDataset, num_folds: int, seed: int) -> Iterator[tuple[FaceDataset, FaceDataset]]:
    """Yields for each fold the images outside it and the images inside it; no subject is on both sides.

    Raises:
        DatasetError: there are fewer subjects, or images of every class, than folds.
    """
    rows = np.arange(len(data))
    for fold in subject_folds(data, num_folds, seed):
        inside = np.isin(rows, fold)
        yield data.select(~inside), data.select(inside)


def downsample(data: FaceDataset, seed: int) -> FaceDataset:
    """Returns as many images of each class as the smallest class has, drawn with the seed."""
    smallest = np.bincount(data.labels)[np.unique(data.labels)].min()
    order = np.random.default_rng(seed).permutation(len(data))
    keep: NDArray[np.bool_] = np.zeros(len(data), bool)
    for label in np.unique(data.labels):
        keep[order[data.labels[order] == label][:smallest]] = True
    return data.select(keep)


def with_pixel_statistics(recipe: Recipe, train: FaceDataset) -> Recipe:
    """Returns the recipe with the mean and deviation of the training images' gray values, where it needs them.

    They are measured for the normalization `dataset` when the recipe does not give them.
    """
    if recipe.normalization != "dataset" or recipe.pixel_deviation:
        return recipe
    plain = ModelSpec(architecture="", input_size=recipe.input_size, normalization="zero_one")
    moments = np.zeros(2)  # means of the gray values and of their squares
    for k in range(len(train)):
        gray = to_input(train.images[k], plain).astype(np.float64) * 255
        moments += (gray.mean(), (gray**2).mean())
    mean, square = moments / len(train)
    return replace(recipe, pixel_mean=round(float(mean), 4), pixel_deviation=round(float((square - mean**2) ** 0.5), 4))
