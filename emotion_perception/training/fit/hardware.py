# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Device, precision and processes of a training run, and the Lightning trainer for them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy
from torch import nn

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.inference.devices import choose_device
from emotion_perception.training.fit.checkpoint_io import AtomicCheckpointIO
from emotion_perception.training.fit.one_machine import OneMachineStrategy, of_a_launcher
from emotion_perception.training.fit.progress import (
    CheckpointBeforeRestart,
    EpochTable,
    FiniteLoss,
    MovedCheckpoints,
    ProgressBar,
    SameFolder,
)
from emotion_perception.training.fit.run_directory import BEFORE_RESTART, METRICS, TENSORBOARD
from emotion_perception.training.fit.termination import StopOnSigterm
from emotion_perception.training.fit.weight_averaging import WeightAverage
from emotion_perception.training.recipe import Recipe

PRECISIONS = ("auto", "32", "bf16", "16")
MAX_THREADS = 64  # as for nodes; torch crashes with many more


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """Device, precision and processes of a training run.

    Attributes:
        device: `auto`, `cpu`, `cuda` or `cuda:N`, see `core.inference.devices`.
        devices: number of processes on this machine, one GPU each on `cuda`; under torchrun its `--nproc-per-node`.
        num_nodes: number of machines; under torchrun its `--nnodes`.
        precision: `32`, `bf16`, `16`, or `auto`: bfloat16 where the hardware computes it, else float32; float32 also
            for depthwise convolutions on a CPU, which torch computes many times slower in bfloat16.
        tensorboard: also write `tensorboard/`.

    Raises:
        ConfigurationError: a value is unknown, or the hardware is not available.
    """

    device: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    precision: str = "auto"
    tensorboard: bool = False

    def __post_init__(self) -> None:
        choose_device(self.device)
        if self.precision not in PRECISIONS:
            raise ConfigurationError(f"precision '{self.precision}' is none of {', '.join(PRECISIONS)}")
        if self.precision == "16" and not self.cuda:
            raise ConfigurationError("precision 16 needs CUDA; a CPU supports 32 and bf16")
        for name in ("devices", "num_nodes"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} {getattr(self, name)} is below 1")
        if self.num_nodes > 1 and not of_a_launcher():  # the processes would wait for each other
            raise ConfigurationError(f"num_nodes {self.num_nodes}: start it on each machine with torchrun")
        if not 1 <= self.devices <= (torch.cuda.device_count() if self.cuda else os.cpu_count() or 1):
            raise ConfigurationError(f"devices {self.devices}: this machine has fewer")
        if self.processes > 1 and ":" in self.device:
            raise ConfigurationError(f"device '{self.device}' is one GPU, but there are {self.processes} processes")

    @property
    def processes(self) -> int:
        """Number of processes on all machines."""
        return self.devices * self.num_nodes

    @property
    def cuda(self) -> bool:
        """Whether a GPU is used."""
        return choose_device(self.device)[0] != "cpu"

    def lightning_precision(self, network: nn.Module) -> str:
        """Returns the precision for a network as Lightning names it."""
        if self.precision == "auto":
            slow = not self.cuda and any(isinstance(m, nn.Conv2d) and m.groups > 1 for m in network.modules())
            return "bf16-mixed" if _has_bfloat16(self.cuda) and not slow else "32-true"
        return "32-true" if self.precision == "32" else f"{self.precision}-mixed"


AUTO = Hardware()


def set_num_threads(number: int) -> None:
    """Sets the number of threads of torch; 0 keeps torch's default.

    Raises:
        ConfigurationError: it is not within 0..64.
    """
    if not 0 <= number <= MAX_THREADS:
        raise ConfigurationError(f"num_threads {number} is not within 0..{MAX_THREADS}")
    if number:
        torch.set_num_threads(number)


def build_trainer(
    recipe: Recipe, network: nn.Module, out: Path, hardware: Hardware, callbacks: Sequence[Callback] = ()
) -> L.Trainer:
    """Builds the trainer with callbacks for averaged weights, checkpoints, metrics.csv, progress and early stopping.

    Args:
        recipe: hyperparameters.
        network: decides the precision.
        out: directory of the run.
        hardware: device, precision and number of processes.
        callbacks: run after those of this package.
    """
    ours: list[Callback] = [
        SameFolder(out),
        MovedCheckpoints(),
        FiniteLoss(),
        WeightAverage(recipe.ema_decay),
        ModelCheckpoint(out, "best", monitor="accuracy", mode="max", enable_version_counter=False),
        ModelCheckpoint(out, "last", save_on_train_epoch_end=True, enable_version_counter=False),
        ProgressBar(refresh_rate=10),
        EpochTable(out / METRICS),
        StopOnSigterm(),
    ]
    if recipe.soup_weight and (restart := recipe.last_restart()) is not None:
        ours.append(CheckpointBeforeRestart(out / BEFORE_RESTART, restart))
    if recipe.early_stopping:
        ours.append(EarlyStopping("accuracy", mode="max", patience=recipe.early_stopping))
    return L.Trainer(
        max_epochs=recipe.epochs,
        accelerator="gpu" if hardware.cuda else "cpu",
        devices=[int(hardware.device.partition(":")[2])] if ":" in hardware.device else hardware.devices,
        num_nodes=hardware.num_nodes,
        strategy=_strategy(hardware),
        use_distributed_sampler=False,  # EpochSampler divides the rows among the processes
        precision=hardware.lightning_precision(network),  # type: ignore[arg-type]
        callbacks=[*ours, *callbacks],
        plugins=AtomicCheckpointIO(),
        logger=TensorBoardLogger(out, name=TENSORBOARD, version="") if hardware.tensorboard else False,
        default_root_dir=out,
        num_sanity_val_steps=0,
        log_every_n_steps=50,
        enable_model_summary=False,
    )


def _strategy(hardware: Hardware) -> DDPStrategy | str:
    if hardware.processes == 1:
        return "auto"
    return "ddp" if of_a_launcher() else OneMachineStrategy()


def _has_bfloat16(cuda: bool) -> bool:
    """Returns whether the hardware computes bfloat16; emulated, it is many times slower than float32."""
    if cuda:
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
