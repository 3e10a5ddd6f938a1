# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A training recipe: every choice that makes one trained model, read from YAML."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.errors import ConfigurationError, one_line

CHOICES: Mapping[str, tuple[str, ...]] = {
    "optimizer": ("sgd", "adam", "adamw"),
    "schedule": ("cosine", "constant"),
    "balance": ("none", "loss", "sampler", "downsample"),
    "targets": ("label", "majority", "probability", "cross_entropy"),
}
_RESTART = "learning_rate and augmentation"
SHIPPED = Path(__file__).parent / "recipes"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The hyper-parameters of one training run.

    Attributes:
        architecture: name of the network, see `architectures.network_names`.
        options: keyword arguments of the network.
        initial: model, shipped or by path, whose weights the network begins with, for fine-tuning (see
            `initial.load_pretrained`); empty begins with random ones.
        labels: classes in the order of the outputs.
        data: keyword arguments of `datasets.load_dataset`.
        ignore_classes: classes of the data whose images are left out.
        input_size: side of the network input in pixels, also when evaluating.
        normalization: see `core.preprocessing.NORMALIZATIONS`.
        pixel_mean: for the normalization `dataset`, 0..255.
        pixel_deviation: the same; 0 means that both are measured on the images learnt from.
        crop_margin: margin around a detector's box that gives crops like the training images.
        mirror_average: evaluate and export with the mirror image averaged in.
        seed: of the weights, the order, the augmentation and the held-out part.
        epochs: passes over the training images.
        batch_size: images a step.
        optimizer: `sgd` (with Nesterov momentum), `adam` or `adamw`.
        learning_rate: peak, reached by a linear warm-up.
        schedule: `cosine` (to 0 at the end) or `constant`.
        restarts: epoch -> `learning_rate` at which a new cosine begins there, and `augmentation` from there on, both
            optional (Loshchilov and Hutter 2017, "SGDR").
        blend: share that the weights before the last restart, or `initial`'s where there is none, have in the exported
            ones, the rest being those of the last epoch; 0, or a run too short for a restart, exports the best epoch
            (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
        momentum: of SGD.
        weight_decay: of every matrix.
        warmup_epochs: length of the linear warm-up.
        early_stopping: epochs without a better accuracy after which the run ends; 0 runs all.
        balance: against unequal classes: `none`, `loss` (weights), `sampler` (drawn equally often) or `downsample` (to
            the smallest class).
        targets: `label`, or what FER+ taggers said: `majority`, `cross_entropy` (their distribution) or `probability`
            (a label drawn from it each time), after Barsoum et al. 2016; images without such votes keep their label.
        teacher: model, shipped or by path, whose answers are part of the targets (see `teacher.distillation_targets`); empty
            learns without one.
        teacher_weight: share of the targets that is the teacher's answer.
        label_smoothing: share of the target spread over all classes.
        mixup: alpha of mixup; 0 is off.
        vote_weight: weight of the second head's loss, cross-entropy with the FER+ votes; needs votes in the data and a
            network that has such a head.
        ema_decay: of the averaged weights, which are what is evaluated and kept.
        sizes: first epoch -> side in pixels that the inputs are scaled to from there on; empty keeps `input_size`.
        holdout: share of the training images kept apart for fitting the calibration temperature.
        augmentation: keyword arguments of `augmentation.build_augmentation`.
    """

    architecture: str
    options: Mapping[str, Any] = field(default_factory=dict)
    initial: str = ""
    labels: Sequence[str] = LABELS
    data: Mapping[str, Any] = field(default_factory=dict)
    ignore_classes: Sequence[str] = ()
    input_size: int = 48
    normalization: str = "standardize"
    pixel_mean: float = 0.0
    pixel_deviation: float = 0.0
    crop_margin: float = 0.04
    mirror_average: bool = False
    seed: int = 1
    epochs: int = 30
    batch_size: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    schedule: str = "cosine"
    restarts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    blend: float = 0.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup_epochs: int = 1
    early_stopping: int = 0
    balance: str = "none"
    targets: str = "label"
    teacher: str = ""
    teacher_weight: float = 0.5
    label_smoothing: float = 0.0
    mixup: float = 0.0
    vote_weight: float = 0.0
    ema_decay: float = 0.999
    sizes: Mapping[int, int] = field(default_factory=dict)
    holdout: float = 0.05
    augmentation: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.type in (int, float, str, bool) and not _is_a(entry.type, value):
                raise ConfigurationError(f"recipe: {entry.name} {value!r} is not of type {entry.type.__name__}")
        for name in ("options", "data", "restarts", "sizes", "augmentation"):
            if not isinstance(getattr(self, name), Mapping):
                raise ConfigurationError(f"recipe: {name} {getattr(self, name)!r} is not a table")
        for name in ("labels", "ignore_classes"):
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(item, str) for item in value):
                raise ConfigurationError(f"recipe: {name} {value!r} is not a list of names")
        for name in ("epochs", "batch_size", "input_size"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"recipe: {name} {getattr(self, name)} is below 1")
        if self.learning_rate <= 0:
            raise ConfigurationError(f"recipe: learning_rate {self.learning_rate} is not above 0")
        for name in ("holdout", "ema_decay", "blend", "teacher_weight"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigurationError(f"recipe: {name} {getattr(self, name)} is not within 0..1")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigurationError(f"recipe: {name} '{getattr(self, name)}' is none of {', '.join(known)}")
        for epoch, changes in self.restarts.items():
            if not isinstance(changes, Mapping) or changes.keys() - {"learning_rate", "augmentation"}:
                raise ConfigurationError(f"recipe: restart {epoch} {changes!r} holds more than {_RESTART}")
        if self.blend and not self.restarts and not self.initial:
            raise ConfigurationError(f"recipe: blend {self.blend} needs a restart or initial: weights to blend with")

    def size_in(self, epoch: int) -> int:
        """Returns the side in pixels that inputs are scaled to in this epoch (counted from 0)."""
        begun = [first for first in self.sizes if first <= epoch]
        return self.sizes[max(begun)] if begun else self.input_size

    def last_restart(self) -> int | None:
        """Returns the epoch of the last restart that the run reaches."""
        return max((first for first in self.restarts if first < self.epochs), default=None)

    def augmentation_in(self, epoch: int) -> Mapping[str, Any]:
        """Returns the keyword arguments of the augmentation in this epoch (counted from 0)."""
        begun = [first for first, changes in self.restarts.items() if first <= epoch and "augmentation" in changes]
        return self.restarts[max(begun)]["augmentation"] if begun else self.augmentation

    def rate_at(self, epoch: float) -> float:
        """Returns the learning rate at a moment of the run, in epochs from its begin."""
        if epoch < self.warmup_epochs:
            return self.learning_rate * max(0.01, epoch / self.warmup_epochs)
        begin, peak = float(self.warmup_epochs), self.learning_rate
        for first in sorted(self.restarts):
            if first <= epoch and "learning_rate" in self.restarts[first]:
                begin, peak = float(first), float(self.restarts[first]["learning_rate"])
        if self.schedule == "constant":
            return peak
        end = min((first for first in self.restarts if epoch < first < self.epochs), default=self.epochs)
        return peak * (1 + math.cos(math.pi * min(1.0, (epoch - begin) / max(end - begin, 1e-9)))) / 2

    def as_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON and YAML."""
        return asdict(self) | {name: list(getattr(self, name)) for name in ("labels", "ignore_classes")}


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Reads a shipped recipe by name or any recipe by path.

    Args:
        name_or_path: `compact_vgg` or `my/recipe.yaml`.
        overrides: `key=value`, the value in YAML, as of the command line's `--set`.

    Raises:
        ConfigurationError: there is no such recipe, it is not YAML, or a key is unknown.
    """
    path = Path(name_or_path) if name_or_path.endswith((".yaml", ".yml")) else SHIPPED / f"{name_or_path}.yaml"
    if not path.is_file():
        shipped = sorted(entry.stem for entry in SHIPPED.glob("*.yaml"))
        raise ConfigurationError(f"no recipe '{name_or_path}'; shipped: {', '.join(shipped)}")
    values = _parse(path.read_bytes().decode(errors="replace"), name_or_path)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ConfigurationError(f"--set {override}: write key=value")
        values |= _parse(f"{key}: {text}", override)
    return recipe_from(values, f"recipe {name_or_path}")


def recipe_from(values: Mapping[str, Any], origin: str) -> Recipe:
    """Builds a recipe from plain values, of YAML or of a run's JSON (where every key is a string).

    Raises:
        ConfigurationError: a key is unknown or missing, or a value has the wrong type; `origin` begins the message.
    """
    if unknown := values.keys() - {entry.name for entry in fields(Recipe)}:
        raise ConfigurationError(f"{origin}: unknown key {', '.join(sorted(unknown))}")
    if "architecture" not in values:
        raise ConfigurationError(f"{origin}: lacks architecture")
    try:
        sizes = {int(epoch): int(size) for epoch, size in values.get("sizes", {}).items()}
        restarts = {int(epoch): changes for epoch, changes in values.get("restarts", {}).items()}
        return Recipe(**{**values, "sizes": sizes, "restarts": restarts})
    except (TypeError, AttributeError, ValueError) as e:
        if isinstance(e, ConfigurationError):
            raise
        raise ConfigurationError(f"{origin}: a value has the wrong type ({e})") from e


def _is_a(wanted: type, value: Any) -> bool:
    if wanted is float:
        return type(value) in (int, float)
    return type(value) is wanted


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as e:
        raise ConfigurationError(f"{name}: not YAML ({one_line(e)})") from e
    if not isinstance(values, dict):
        raise ConfigurationError(f"{name}: a recipe is a table of keys and values")
    return values
