# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Lightning data module: network inputs of a dataset, made batch by batch, or once where they fit on the GPU."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from emotion_perception.core.classification import ModelSpec, to_batch
from emotion_perception.training.datasets import FaceDataset, vote_targets
from emotion_perception.training.datasets.face_dataset import RECIPE_HINT
from emotion_perception.training.fit.data_splits import DataSplits
from emotion_perception.training.fit.distillation import distillation_targets
from emotion_perception.training.recipe import Recipe

Batch = tuple[Tensor, Tensor, Tensor, Tensor]  # inputs (N, 1, S, S), labels (N), targets (N, L), votes (N, V)
_VALIDATION_BATCH = 256
_GPU_SHARE = 0.5  # of the free memory that the inputs may take


class FaceBatches(Dataset[Batch]):
    """A dataset that returns whole batches of network inputs; only the images of the batch are read.

    Args:
        data: images, in memory or memory-mapped.
        spec: preprocessing and label order.
        targets: see `Recipe.targets`.
    """

    def __init__(self, data: FaceDataset, spec: ModelSpec, *, targets: str = "label") -> None:
        self.labels = torch.from_numpy(data.labels_in(spec.labels, hint=RECIPE_HINT))
        self.targets = torch.from_numpy(vote_targets(data, spec.labels, targets))
        self.votes = torch.from_numpy(data.votes) if data.votes is not None else torch.zeros(len(data), 0)
        self._images, self._spec = data.images, spec

    def __len__(self) -> int:
        return len(self.labels)

    def __getitems__(self, rows: Sequence[int]) -> Batch:
        """Returns the batch of these rows."""
        inputs = torch.from_numpy(to_batch([self._images[row] for row in rows], self._spec))
        return inputs, self.labels[rows], self.targets[rows], self.votes[rows]


class DeviceBatches(Dataset[Batch]):
    """A dataset whose inputs are computed once and kept on a device as float16; it returns whole batches.

    Args:
        rows: source of the inputs.
        device: where the tensors are kept.
    """

    def __init__(self, rows: FaceBatches, device: torch.device) -> None:
        parts = [rows.__getitems__(range(k, min(k + 1024, len(rows)))) for k in range(0, len(rows), 1024)]
        inputs, labels, targets, votes = (torch.cat(columns) for columns in zip(*parts, strict=True))
        self._tensors = (inputs.half().to(device), labels.to(device), targets.to(device), votes.to(device))

    def __len__(self) -> int:
        return len(self._tensors[0])

    def __getitems__(self, rows: Sequence[int]) -> Batch:
        """Returns the batch of these rows, on the device."""
        chosen = torch.tensor(rows, device=self._tensors[0].device)
        inputs, labels, targets, votes = (tensor[chosen] for tensor in self._tensors)
        return inputs, labels, targets, votes


class EpochSampler(DistributedSampler[Any]):
    """Shuffles the rows of each epoch, depending on seed and epoch alone, and divides them among the processes.

    Args:
        rows: the dataset.
        seed: of the shuffling.
        weights: float64 (N), probability of each row up to a factor, drawn with replacement; None takes each row once.
        num_replicas: number of processes.
        rank: index of this process.
    """

    def __init__(
        self, rows: FaceBatches, *, seed: int, weights: Tensor | None = None, num_replicas: int = 1, rank: int = 0
    ) -> None:
        super().__init__(rows, num_replicas, rank, shuffle=True, seed=seed, drop_last=True)
        self._weights = weights

    def __iter__(self) -> Iterator[int]:
        if self._weights is None:
            return super().__iter__()
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.multinomial(self._weights, self.total_size, replacement=True, generator=generator)
        return iter(order[self.rank :: self.num_replicas].tolist())


class EmotionDataModule(L.LightningDataModule):
    """Training and validation batches; a teacher's probabilities for the plain images are part of the targets.

    Args:
        recipe: batch size, targets, teacher, balance and seed.
        spec: preprocessing and label order.
        splits: training, unlabeled and validation images.
        teacher_file: file that keeps the teacher's probabilities, see `distillation_targets`; None keeps none.
    """

    def __init__(
        self, recipe: Recipe, spec: ModelSpec, splits: DataSplits, *, teacher_file: Path | None = None
    ) -> None:
        super().__init__()
        self._recipe = recipe
        train = splits.train if splits.unlabeled is None else splits.train.joined(splits.unlabeled)
        self._train = FaceBatches(train, spec, targets=recipe.targets)
        if recipe.teachers and not recipe.teacher_views:
            predicted = torch.from_numpy(distillation_targets(train, spec.labels, recipe.teachers, kept=teacher_file))
            self._train.targets = torch.lerp(self._train.targets, predicted, recipe.teacher_weight)
        self._validation = FaceBatches(splits.validation, spec)

    def steps_per_epoch(self, processes: int) -> int:
        """Returns the number of batches of an epoch for each process."""
        share = len(self._train) // processes
        return share // min(self._recipe.batch_size, share)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Returns the training batches of the epoch; the last, smaller batch is left out."""
        trainer, labels = self.trainer, self._train.labels
        balanced = self._recipe.balance == "sampler"
        sampler = EpochSampler(
            self._train,
            seed=self._recipe.seed,
            weights=(1 / torch.bincount(labels).clamp_min(1))[labels].double() if balanced else None,
            num_replicas=trainer.world_size if trainer else 1,
            rank=trainer.global_rank if trainer else 0,
        )
        size = min(self._recipe.batch_size, len(sampler))
        return DataLoader(self._placed(self._train), size, sampler=sampler, drop_last=True, collate_fn=_unchanged)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Returns the validation batches; every process measures all of them."""
        return DataLoader(self._placed(self._validation), _VALIDATION_BATCH, collate_fn=_unchanged)

    def class_weights(self, classes: int) -> Tensor | None:
        """Returns float32 (L), inversely proportional to the class sizes, mean 1 over the images; None if unused."""
        if self._recipe.balance != "loss":
            return None
        counts = torch.bincount(self._train.labels, minlength=classes)
        return len(self._train) / (counts.clamp_min(1) * (counts > 0).sum())

    def _placed(self, rows: FaceBatches) -> Dataset[Batch]:
        """Returns the rows on the GPU where they fit, otherwise unchanged."""
        device = self.trainer.strategy.root_device if self.trainer else torch.device("cpu")
        if device.type != "cuda" or not len(rows):
            return rows
        needed = len(rows) * rows.__getitems__([0])[0].numel() * 2  # bytes as float16
        return DeviceBatches(rows, device) if needed < _GPU_SHARE * torch.cuda.mem_get_info(device)[0] else rows


def _unchanged(batch: Any) -> Any:
    return batch  # __getitems__ returns whole batches
