# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Feeds a data set to a training: network inputs made as they are asked for, or once, onto a GPU that has room."""

from collections.abc import Iterator, Sequence
from typing import Any

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from emotion_perception.core.classification.preprocessing import ModelSpec, to_batch
from emotion_perception.training.datasets import FaceDataset, vote_targets
from emotion_perception.training.fit.distillation import distillation_targets
from emotion_perception.training.recipe import Recipe

Batch = tuple[Tensor, Tensor, Tensor, Tensor]  # inputs (N, 1, S, S), labels (N), targets (N, L), votes (N, V)
_CHOOSE_BATCH = 256
_GPU_SHARE = 0.5  # of the free memory that images may take


class FaceBatches(Dataset[Batch]):
    """The rows of a data set as whole batches; the images may be memory-mapped, only those asked for are read.

    Args:
        data: the images.
        spec: how they become inputs, and the label order.
        targets: see `Recipe.targets`.
    """

    def __init__(self, data: FaceDataset, spec: ModelSpec, *, targets: str = "label") -> None:
        self.labels = torch.from_numpy(data.labels_in(spec.labels))
        self.targets = torch.from_numpy(vote_targets(data, spec.labels, targets))
        self.votes = torch.from_numpy(data.votes) if data.votes is not None else torch.zeros(len(data), 0)
        self._images, self._spec = data.images, spec

    def __len__(self) -> int:
        return len(self.labels)

    def __getitems__(self, rows: Sequence[int]) -> Batch:
        """Returns one batch."""
        inputs = torch.from_numpy(to_batch([self._images[row] for row in rows], self._spec))
        return inputs, self.labels[rows], self.targets[rows], self.votes[rows]


class DeviceBatches(Dataset[Batch]):
    """The same, made once and kept on a device as float16.

    Args:
        rows: what to make.
        device: of torch.
    """

    def __init__(self, rows: FaceBatches, device: torch.device) -> None:
        parts = [rows.__getitems__(range(k, min(k + 1024, len(rows)))) for k in range(0, len(rows), 1024)]
        inputs, labels, targets, votes = (torch.cat(columns) for columns in zip(*parts, strict=True))
        self._tensors = (inputs.half().to(device), labels.to(device), targets.to(device), votes.to(device))

    def __len__(self) -> int:
        return len(self._tensors[0])

    def __getitems__(self, rows: Sequence[int]) -> Batch:
        """Returns one batch, on the device."""
        chosen = torch.tensor(rows, device=self._tensors[0].device)
        inputs, labels, targets, votes = (tensor[chosen] for tensor in self._tensors)
        return inputs, labels, targets, votes


class EpochSampler(DistributedSampler[Any]):
    """Gives every epoch an order of its own that depends on seed and epoch alone, divided among the processes.

    Args:
        rows: what is drawn from.
        seed: of the orders.
        weights: float64 (N), how often each row is drawn, with replacement; None takes each row once.
        num_replicas: number of processes.
        rank: number of this process.
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
    """What a training learns from and what chooses its epoch.

    Args:
        recipe: batch size, targets, balance and seed.
        spec: the input and the labels.
        learn: images to learn from.
        choose: images to choose the epoch by.
    """

    def __init__(self, recipe: Recipe, spec: ModelSpec, learn: FaceDataset, choose: FaceDataset) -> None:
        super().__init__()
        self._recipe = recipe
        self._learn = FaceBatches(learn, spec, targets=recipe.targets)
        if recipe.teacher:
            taught = torch.from_numpy(distillation_targets(learn, spec.labels, recipe.teacher))
            self._learn.targets = torch.lerp(self._learn.targets, taught, recipe.teacher_weight)
        self._choose = FaceBatches(choose, spec)

    def steps_per_epoch(self, processes: int) -> int:
        """Returns the number of batches that each process takes in an epoch."""
        share = len(self._learn) // processes
        return share // min(self._recipe.batch_size, share)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches what is learnt from, in the order of the epoch; the last, smaller batch is left out."""
        trainer, labels = self.trainer, self._learn.labels
        balanced = self._recipe.balance == "sampler"
        sampler = EpochSampler(
            self._learn,
            seed=self._recipe.seed,
            weights=(1 / torch.bincount(labels).clamp_min(1))[labels].double() if balanced else None,
            num_replicas=trainer.world_size if trainer else 1,
            rank=trainer.global_rank if trainer else 0,
        )
        size = min(self._recipe.batch_size, len(sampler))
        return DataLoader(self._placed(self._learn), size, sampler=sampler, drop_last=True, collate_fn=_as_it_is)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Batches what chooses the epoch; every process measures all of it."""
        return DataLoader(self._placed(self._choose), _CHOOSE_BATCH, collate_fn=_as_it_is)

    def class_weights(self, classes: int) -> Tensor | None:
        """Returns float32 (L), inverse to how often a class occurs, mean 1 over the images; None where not asked."""
        if self._recipe.balance != "loss":
            return None
        counts = torch.bincount(self._learn.labels, minlength=classes)
        return len(self._learn) / (counts.clamp_min(1) * (counts > 0).sum())

    def _placed(self, rows: FaceBatches) -> Dataset[Batch]:
        """Returns the rows on the GPU where they fit, else as they are."""
        device = self.trainer.strategy.root_device if self.trainer else torch.device("cpu")
        if device.type != "cuda" or not len(rows):
            return rows
        needed = len(rows) * rows.__getitems__([0])[0].numel() * 2  # bytes as float16
        return DeviceBatches(rows, device) if needed < _GPU_SHARE * torch.cuda.mem_get_info(device)[0] else rows


def down_sampled(data: FaceDataset, seed: int) -> FaceDataset:
    """Returns as many images of each class as its smallest class has, chosen by the seed."""
    smallest = np.bincount(data.labels)[np.unique(data.labels)].min()
    order = np.random.default_rng(seed).permutation(len(data))
    keep: NDArray[np.bool_] = np.zeros(len(data), bool)
    for label in np.unique(data.labels):
        keep[order[data.labels[order] == label][:smallest]] = True
    return data.select(keep)


def _as_it_is(batch: Any) -> Any:
    return batch  # a whole one already
