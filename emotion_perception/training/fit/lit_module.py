# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Lightning module that trains any network of this package."""

from collections.abc import Callable

import lightning as L
import torch
import torch.nn.functional as F
import torchmetrics
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from emotion_perception.core.classification import ModelSpec
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.training.architectures import MirrorAverage, create_network, has_aux_head
from emotion_perception.training.fit.augmentation import augmentation_from, mix_up
from emotion_perception.training.fit.data_module import Batch
from emotion_perception.training.fit.distillation import Teacher
from emotion_perception.training.recipe import Recipe

_STEP_STRIDE, _RANK_STRIDE = 1_000_003, 7919  # primes, so that no two steps or processes share a seed


class EmotionLitModule(L.LightningModule):
    """Trains a network by a recipe; where the dataset has votes, with an auxiliary head that is trained on them.

    Args:
        recipe: hyperparameters.
        spec: input and labels of the network.
        num_votes: number of columns of the votes; 0 without votes.
        steps_per_epoch: batches in an epoch, for the learning rate schedule.
        class_weights: float32 (L), weight of each class in the loss; None for equal weights.

    Raises:
        ConfigurationError: an augmentation of the recipe has an unknown option, or the network no auxiliary head; or as
            of `Teacher`.
        ModelFileError: as of `Teacher`.
        ModelBundleError: the architecture or one of its options is unknown; or as of `Teacher`.
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
        if self.has_aux and not has_aux_head(recipe.architecture):
            raise ConfigurationError(
                f"recipe: vote_weight {recipe.vote_weight:g} needs a second head, which {recipe.architecture} has not: "
                "set vote_weight=0"
            )
        aux = {"aux_classes": num_votes} if self.has_aux else {}
        network = create_network(recipe.architecture, num_classes=len(spec.labels), **recipe.options, **aux)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for epoch in (0, *recipe.restarts):
            augmentation_from(recipe.augmentation_in(epoch), spec)  # an unknown option fails before training starts
        self._augment: Callable[[Tensor], Tensor] = _unchanged
        self._views_and_inputs: Callable[[Tensor, float], tuple[Tensor, Tensor]] = _unchanged_twice
        # in a list: as an attribute it would be a submodule, whose weights are trained, averaged and saved
        self._teachers = [Teacher(name, spec) for name in recipe.teachers] if recipe.teacher_views else []
        self.accuracy = torchmetrics.Accuracy("multiclass", num_classes=len(spec.labels))
        self._class_weights = class_weights

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 1, S, S) to logits (N, L), as the exported model does."""
        return self._evaluated()(images)

    def on_train_epoch_start(self) -> None:
        """Builds the augmentation of the epoch."""
        augmentation = augmentation_from(self.recipe.augmentation_in(self.current_epoch), self.spec)
        augmentation = augmentation.to(self.device)
        self._augment = augmentation.__call__  # not a submodule: it has no weights to average
        self._views_and_inputs = augmentation.views_and_inputs
        self._teachers = [teacher.to(self.device) for teacher in self._teachers]

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seeds torch from seed, step and process, so that a resumed run equals an uninterrupted one."""
        torch.manual_seed(self.recipe.seed + _STEP_STRIDE * (self.global_step + 1) + _RANK_STRIDE * self.global_rank)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Returns the loss of a batch."""
        inputs, _, targets, votes = batch
        if self.recipe.targets == "probability":
            targets = F.one_hot(torch.multinomial(targets, 1).squeeze(1), targets.shape[1]).float()
        images, targets, votes = self._augmented(inputs.float(), targets, votes)
        images = self._resize(images).contiguous(memory_format=torch.channels_last)
        if not self.has_aux:
            loss = self._label_loss(self.network(images), targets)
        else:
            logits, vote_logits = self.network.forward_with_aux(images)
            loss = self._label_loss(logits, targets) + self.recipe.vote_weight * _vote_loss(vote_logits, votes)
        self.log("train_loss", loss, on_epoch=True, on_step=False, prog_bar=True, sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Logs `accuracy` and `loss` of the averaged weights on the validation images."""
        inputs, labels = batch[:2]
        logits = self(inputs.float().contiguous(memory_format=torch.channels_last)).float()
        self.accuracy(logits, labels)
        self.log("accuracy", self.accuracy, on_epoch=True, prog_bar=True)
        self.log("loss", F.cross_entropy(logits, labels), on_epoch=True, sync_dist=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Builds the optimizer and the learning rate schedule, which advances with each batch."""
        recipe = self.recipe
        groups = _decay_groups(self.network, recipe.weight_decay)
        optimizer: torch.optim.Optimizer
        if recipe.optimizer == "sgd":
            momentum = recipe.momentum
            optimizer = torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=momentum, nesterov=momentum > 0)
        else:
            kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
            optimizer = kind(groups, lr=recipe.learning_rate)
        schedule = LambdaLR(optimizer, self._learning_rate_factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _learning_rate_factor(self, step: int) -> float:
        return self.recipe.learning_rate_at(step / self.steps_per_epoch) / self.recipe.learning_rate

    def _label_loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        weights = None if self._class_weights is None else self._class_weights.to(logits.device)
        return F.cross_entropy(logits.float(), targets, weights, label_smoothing=self.recipe.label_smoothing)

    def _augmented(self, inputs: Tensor, targets: Tensor, votes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns augmented inputs with their targets and votes; with `teacher_views` the targets are the teachers'."""
        if self._teachers:
            views, images = self._views_and_inputs(inputs, self.recipe.mixup)
            views = views.contiguous(memory_format=torch.channels_last)
            return images, torch.stack([teacher(views) for teacher in self._teachers]).mean(0), votes
        images, targets, votes = mix_up((self._augment(inputs), targets, votes), self.recipe.mixup)
        return images, targets, votes

    def _resize(self, images: Tensor) -> Tensor:
        size = self.recipe.size_in(self.current_epoch)
        if size == images.shape[-1]:
            return images
        return F.interpolate(images, size=(size, size), mode="bilinear", antialias=True, align_corners=False)

    def _evaluated(self) -> nn.Module:
        return MirrorAverage(self.network) if self.recipe.mirror_average else self.network


def _unchanged(inputs: Tensor) -> Tensor:
    return inputs


def _unchanged_twice(inputs: Tensor, _mixup: float) -> tuple[Tensor, Tensor]:
    return inputs, inputs


def _vote_loss(logits: Tensor, votes: Tensor) -> Tensor:
    """Returns the cross-entropy with the distribution of the votes; an image without votes adds nothing."""
    return -(votes * F.log_softmax(logits.float(), dim=1)).sum(dim=1).mean()


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Returns parameter groups: matrices and convolutions decay, biases and normalizations do not."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
