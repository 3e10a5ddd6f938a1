"""One Lightning module for every network of this package, and the data that feeds it."""

from typing import cast

import lightning as L
import torch
import torch.nn.functional as F
import torchmetrics
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR
from torch.utils.data import DataLoader, Dataset, TensorDataset

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.preprocessing import ModelSpec, to_batch
from emotion_perception.training.architectures import MirrorAverage, create_network
from emotion_perception.training.augmentation import build_augmentation
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.recipe import Recipe

Batch = tuple[Tensor, Tensor, Tensor]  # inputs (N, 1, S, S), labels (N), votes (N, V)


class EmotionTraining(L.LightningModule):
    """Trains one network with SGD, cosine schedule, augmentation and, where there are votes, a second head.

    Args:
        recipe: the hyper-parameters.
        num_classes: outputs of the network.
        num_votes: columns of the votes; 0 without.
        steps_per_epoch: batches in an epoch, for the schedule.
    """

    def __init__(self, recipe: Recipe, *, num_classes: int, num_votes: int, steps_per_epoch: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.steps_per_epoch = steps_per_epoch
        aux = {"aux_classes": num_votes} if recipe.vote_weight and num_votes else {}
        network = create_network(recipe.architecture, num_classes=num_classes, **recipe.options, **aux)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.has_aux = bool(aux)
        self.augment = _augmentation(recipe)
        self.accuracy = torchmetrics.Accuracy("multiclass", num_classes=num_classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Maps (N, 1, S, S) to logits as the exported model gives them."""
        return self._evaluated()(pictures)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Returns the loss of one batch."""
        inputs, labels, votes = batch
        pictures = self._resize(self.augment(inputs.float())).contiguous(memory_format=torch.channels_last)
        if not self.has_aux:
            loss = self._label_loss(self.network(pictures), labels)
        else:
            logits, vote_logits = self.network.forward_with_aux(pictures)
            loss = self._label_loss(logits, labels) + self.recipe.vote_weight * _vote_loss(vote_logits, votes)
        self.log("train_loss", loss, on_epoch=True, on_step=False, prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Logs `accuracy` and `loss` of the averaged weights."""
        inputs, labels, _ = batch
        logits = self(inputs.float().contiguous(memory_format=torch.channels_last)).float()
        self.accuracy(logits, labels)
        self.log("accuracy", self.accuracy, on_epoch=True, prog_bar=True)
        self.log("loss", F.cross_entropy(logits, labels), on_epoch=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Builds SGD with Nesterov momentum, linear warm-up and cosine decay, a step a batch."""
        recipe = self.recipe
        optimizer = torch.optim.SGD(
            _decay_groups(self.network, recipe.weight_decay),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            nesterov=True,
        )
        warmup = max(1, recipe.warmup_epochs * self.steps_per_epoch)
        rest = max(1, recipe.epochs * self.steps_per_epoch - warmup)
        schedule: LRScheduler = SequentialLR(
            optimizer,
            [LinearLR(optimizer, 0.01, total_iters=warmup), CosineAnnealingLR(optimizer, rest)],
            milestones=[warmup],
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _label_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), labels, label_smoothing=self.recipe.label_smoothing)

    def _resize(self, pictures: Tensor) -> Tensor:
        size = self.recipe.size_in(self.current_epoch)
        if size == pictures.shape[-1]:
            return pictures
        return F.interpolate(pictures, size=(size, size), mode="bilinear", antialias=True, align_corners=False)

    def _evaluated(self) -> nn.Module:
        return MirrorAverage(self.network) if self.recipe.mirror_average else self.network


def make_loader(data: FaceDataset, spec: ModelSpec, *, batch_size: int, shuffle: bool) -> DataLoader[Batch]:
    """Puts a data set into memory as network inputs (float16, 4.6 kB a picture of 48x48) and batches it."""
    inputs = torch.from_numpy(to_batch(list(data.images), spec)).half()
    labels = torch.from_numpy(data.labels_in(spec.labels))
    votes = torch.from_numpy(data.votes) if data.votes is not None else torch.zeros(len(data), 0)
    rows = cast("Dataset[Batch]", TensorDataset(inputs, labels, votes))
    return DataLoader(
        rows,
        batch_size=min(batch_size, len(data)),
        shuffle=shuffle,
        drop_last=shuffle,
    )


def _augmentation(recipe: Recipe) -> nn.Module:
    try:
        return build_augmentation(**recipe.augmentation)
    except TypeError as e:
        raise ConfigurationError(f"recipe: augmentation: {e}") from e


def _vote_loss(logits: Tensor, votes: Tensor) -> Tensor:
    """Returns the cross-entropy with the taggers' distribution; a picture without votes adds nothing."""
    return -(votes * F.log_softmax(logits.float(), dim=1)).sum(dim=1).mean()


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Returns optimiser groups: weights decay, biases and normalisation do not."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
