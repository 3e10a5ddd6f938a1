# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""One Lightning module for every network of this package."""

from collections.abc import Callable

import lightning as L
import torch
import torch.nn.functional as F
import torchmetrics
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from emotion_perception.core.classification.preprocessing import ModelSpec
from emotion_perception.training.architectures import MirrorAverage, create_network
from emotion_perception.training.fit.augmentation import augmentation_from, mix_up
from emotion_perception.training.fit.data_module import Batch
from emotion_perception.training.recipe import Recipe

_STEP_STRIDE, _RANK_STRIDE = 1_000_003, 7919  # primes: seeds of steps and processes do not meet


class EmotionLitModule(L.LightningModule):
    """Trains one network by a recipe; where there are votes, with a second head that learns them.

    Args:
        recipe: the hyper-parameters.
        spec: the input and the labels.
        num_votes: columns of the votes; 0 without.
        steps_per_epoch: batches in an epoch, for the schedule.
        class_weights: float32 (L), weight of each class in the loss; None for equal weights.
    """

    def __init__(
        self,
        recipe: Recipe,
        spec: ModelSpec,
        *,
        num_votes: int,
        steps_per_epoch: int,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.spec = spec
        self.steps_per_epoch = steps_per_epoch
        self.has_aux = bool(recipe.vote_weight and num_votes)
        aux = {"aux_classes": num_votes} if self.has_aux else {}
        network = create_network(recipe.architecture, num_classes=len(spec.labels), **recipe.options, **aux)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for epoch in (0, *recipe.restarts):
            augmentation_from(recipe.augmentation_in(epoch), spec)  # refuses a wrong one now, not in the middle
        self._augment: Callable[[Tensor], Tensor] = _unchanged
        self.accuracy = torchmetrics.Accuracy("multiclass", num_classes=len(spec.labels))
        self._class_weights = class_weights

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) to logits as the exported model gives them."""
        return self._evaluated()(images)

    def on_train_epoch_start(self) -> None:
        """Takes the augmentation of the epoch."""
        augmentation = augmentation_from(self.recipe.augmentation_in(self.current_epoch), self.spec)
        self._augment = augmentation.to(self.device).__call__  # no submodule: the averaged model has no place for it

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Makes the randomness of a step depend on seed, step and process alone, so that a resumed run is equal."""
        torch.manual_seed(self.recipe.seed + _STEP_STRIDE * (self.global_step + 1) + _RANK_STRIDE * self.global_rank)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Returns the loss of one batch."""
        inputs, _, targets, votes = batch
        if self.recipe.targets == "probability":
            targets = F.one_hot(torch.multinomial(targets, 1).squeeze(1), targets.shape[1]).float()
        images, targets, votes = mix_up((self._augment(inputs.float()), targets, votes), self.recipe.mixup)
        images = self._resize(images).contiguous(memory_format=torch.channels_last)
        if not self.has_aux:
            loss = self._label_loss(self.network(images), targets)
        else:
            logits, vote_logits = self.network.forward_with_aux(images)
            loss = self._label_loss(logits, targets) + self.recipe.vote_weight * _vote_loss(vote_logits, votes)
        self.log("train_loss", loss, on_epoch=True, on_step=False, prog_bar=True, sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Logs `accuracy` and `loss` of the averaged weights."""
        inputs, labels = batch[:2]
        logits = self(inputs.float().contiguous(memory_format=torch.channels_last)).float()
        self.accuracy(logits, labels)
        self.log("accuracy", self.accuracy, on_epoch=True, prog_bar=True)
        self.log("loss", F.cross_entropy(logits, labels), on_epoch=True, sync_dist=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Builds the optimizer and the schedule of the recipe, a step a batch."""
        recipe = self.recipe
        groups = _decay_groups(self.network, recipe.weight_decay)
        optimizer: torch.optim.Optimizer
        if recipe.optimizer == "sgd":
            optimizer = torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=True)
        else:
            kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
            optimizer = kind(groups, lr=recipe.learning_rate)
        schedule = LambdaLR(optimizer, self._share_of_rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _share_of_rate(self, step: int) -> float:
        return self.recipe.rate_at(step / self.steps_per_epoch) / self.recipe.learning_rate

    def _label_loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        weights = None if self._class_weights is None else self._class_weights.to(logits.device)
        return F.cross_entropy(logits.float(), targets, weights, label_smoothing=self.recipe.label_smoothing)

    def _resize(self, images: Tensor) -> Tensor:
        size = self.recipe.size_in(self.current_epoch)
        if size == images.shape[-1]:
            return images
        return F.interpolate(images, size=(size, size), mode="bilinear", antialias=True, align_corners=False)

    def _evaluated(self) -> nn.Module:
        return MirrorAverage(self.network) if self.recipe.mirror_average else self.network


def _unchanged(inputs: Tensor) -> Tensor:
    return inputs


def _vote_loss(logits: Tensor, votes: Tensor) -> Tensor:
    """Returns the cross-entropy with the taggers' distribution; an image without votes adds nothing."""
    return -(votes * F.log_softmax(logits.float(), dim=1)).sum(dim=1).mean()


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Returns optimizer groups: weights decay, biases and normalization do not."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
