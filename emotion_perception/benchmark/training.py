# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmark of training on the CPU: throughput of loader, augmentation and training step, and share of peak FLOP/s."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table
from emotion_perception.core.classification import LABELS
from emotion_perception.reporting.timing import time_interleaved
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.fit.augmentation import augmentation_from
from emotion_perception.training.fit.data_module import FaceBatches
from emotion_perception.training.fit.hardware import AUTO
from emotion_perception.training.fit.lit_module import EmotionLitModule
from emotion_perception.training.recipe import load_recipe

_RECIPES = ("compact_vgg", "mini_xception", "scar_cnn")
_TRAIN_IMAGES = 26_466  # of FER-2013
_MATRIX_SIDE = 2048  # of the matrix product that measures the peak


def run(setup: Setup) -> list[Table]:
    """Measures and returns the table of the section."""
    rounds = max(2, setup.rounds // 10)
    peak = {precision: _peak(precision) for precision in (torch.float32, torch.bfloat16)}
    rows = [_row(name, rounds, peak) for name in _RECIPES]
    columns = [
        "recipe",
        "loader, images/s",
        "augmentation, images/s",
        "step, images/s",
        "precision",
        "GFLOP per image",
        "share of peak",
        f"epoch of {_TRAIN_IMAGES:,}, s",
        "arithmetic floor, s",
    ]
    speeds = ", ".join(f"{str(kind).removeprefix('torch.')} {speed / 1e9:,.0f} GFLOP/s" for kind, speed in peak.items())
    note = (
        f"Batch and input size of the recipe, {torch.get_num_threads()} threads, random images; a step is "
        "augmentation, forward, backward and update. "
        f"Peak is a {_MATRIX_SIDE}x{_MATRIX_SIDE} matrix product: {speeds}. "
        "The floor is the time of the epoch at the peak."
    )
    return [Table("Training on the CPU", columns, rows, note)]


def _row(name: str, rounds: int, peak: dict[torch.dtype, float]) -> list[Any]:
    recipe = replace(load_recipe(name), vote_weight=0.0, teacher="", pretrained="")
    spec, size = recipe.model_spec(), recipe.batch_size
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (size, recipe.input_size, recipe.input_size), dtype=np.uint8)
    data = FaceDataset(images, np.arange(size) % len(LABELS), LABELS)
    rows = FaceBatches(data, spec)
    batch = rows.__getitems__(range(size))
    module = EmotionLitModule(recipe, spec, num_votes=0, steps_per_epoch=100)
    precision = AUTO.lightning_precision(module.network)
    kind = torch.bfloat16 if precision.startswith("bf16") else torch.float32
    augment = augmentation_from(recipe.augmentation, spec)
    step = _step(module, batch, augment, kind)
    times = time_interleaved(
        {"load": lambda: rows.__getitems__(range(size)), "augment": lambda: augment(batch[0]), "step": step},
        rounds=rounds,
        what=name,
    )
    with FlopCounterMode(display=False) as counter:
        module.network(batch[0][:1]).sum().backward()
    flop = counter.get_total_flops()
    speed = {what: size / (milliseconds["p50"] * 1e-3) for what, milliseconds in times.items()}
    return [
        name,
        round(speed["load"]),
        round(speed["augment"]),
        round(speed["step"]),
        str(kind).removeprefix("torch."),
        flop / 1e9,
        f"{speed['step'] * flop / peak[kind]:.0%}",
        _TRAIN_IMAGES / speed["step"],
        _TRAIN_IMAGES * flop / peak[kind],
    ]


def _step(
    module: EmotionLitModule, batch: Any, augment: Callable[[torch.Tensor], torch.Tensor], kind: torch.dtype
) -> Callable[[], None]:
    optimizer = torch.optim.SGD(module.network.parameters(), lr=1e-3, momentum=0.9)
    module.network.train()

    def step() -> None:
        optimizer.zero_grad()
        images = augment(batch[0]).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", kind, enabled=kind == torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(module.network(images).float(), batch[2])
        loss.backward()
        optimizer.step()

    return step


def _peak(kind: torch.dtype) -> float:
    """Returns the FLOP/s of a large matrix product, the best of five."""
    left, right = (torch.randn(_MATRIX_SIDE, _MATRIX_SIDE).to(kind) for _ in range(2))
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - begun)
    return 2 * _MATRIX_SIDE**3 / min(seconds)
