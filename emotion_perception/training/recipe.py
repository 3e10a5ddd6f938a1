# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A training recipe: all hyperparameters of a training run, read from YAML.

A dataclass, not pydantic or msgspec: a new key is one field here, and its type is checked by `__post_init__`.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from emotion_perception.core.classification import LABELS, ModelSpec, canonical_label
from emotion_perception.core.errors import ConfigurationError, DatasetError, one_line
from emotion_perception.core.options import OptionLimits
from emotion_perception.core.paths import local_path
from emotion_perception.core.retired_names import RECIPE_KEYS, RECIPE_VALUES, with_present_names
from emotion_perception.core.text_files import read_text
from emotion_perception.core.yaml_values import as_type, parse_key_values, parse_yaml

CHOICES: Mapping[str, tuple[str, ...]] = {
    "optimizer": ("sgd", "adam", "adamw"),
    "schedule": ("cosine", "constant"),
    "balance": ("none", "loss", "sampler", "downsample"),
    "targets": ("label", "majority", "probability", "cross_entropy"),
}
_LIMITS: Mapping[str, tuple[float, float]] = {
    "seed": (0, 2**32 - 1),
    "epochs": (1, 1_000_000),
    "batch_size": (1, 2**31 - 1),
    "input_size": (1, 1024),
    "learning_rate": (0, 1_000_000),
    "momentum": (0, 1),
    "weight_decay": (0, 1_000_000),
    "warmup_epochs": (0, 1_000_000),
    "early_stopping": (0, 1_000_000),
    "label_smoothing": (0, 0.99),
    "mixup": (0, 1_000_000),
    "teacher_weight": (0, 1),
    "vote_weight": (0, 1_000_000),
}
_AUGMENTATION: Mapping[str, tuple[float, float]] = {  # of `fit.augmentation.build_augmentation`
    # probabilities
    **dict.fromkeys(("flip", "small", "blur", "dark", "side_light", "erase", "scars", "occlude"), (0, 1)),
    "degrees": (0, 180),
    **dict.fromkeys(("shift", "brightness", "contrast", "noise"), (0, 1)),
    "scale": (0.01, 100),
}
TRAIN_SPLIT, VAL_SPLIT = "Training", "PublicTest"  # names of the splits unless others are given
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_RESTART_KEYS = ("learning_rate", "augmentation")
SHIPPED = Path(__file__).parent / "recipes"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The hyperparameters of one training run.

    Attributes:
        architecture: name of the network, see `architectures.network_names`.
        options: keyword arguments of the network.
        pretrained: model, shipped or by path, whose weights the network starts with (fine-tuning); empty starts with
            random weights.
        labels: classes in the order of the outputs, in any spelling.
        data: keyword arguments of `datasets.load_dataset`.
        ignore_classes: classes whose images are left out, in any spelling; the dataset may lack them.
        input_size: side of the network input in pixels, also for evaluation.
        normalization: see `core.classification.preprocessing.NORMALIZATIONS`.
        pixel_mean: for the normalization `dataset`, 0..255.
        pixel_deviation: for the normalization `dataset`; 0 measures mean and deviation on the training images.
        crop_margin: margin around a detected box that gives crops like the training images.
        mirror_average: evaluate and export the average over an image and its mirror image.
        seed: of the weights, the order of the samples, the augmentation and the splits.
        epochs: passes over the training images.
        batch_size: images in a step.
        optimizer: `sgd` (with Nesterov momentum), `adam` or `adamw`.
        learning_rate: highest value, reached after a linear warm-up.
        schedule: `cosine` (to 0 at the end) or `constant`.
        restarts: epoch -> `learning_rate` at which a new cosine starts and `augmentation` from that epoch on, both
            optional (Loshchilov and Hutter 2017, "SGDR").
        soup_weight: weight of the weights before the last restart, or of the pretrained ones where there is no restart,
            in the exported average with the last epoch's; 0, or a run that ends before its last restart, exports the
            best epoch (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
        momentum: of SGD; 0 is plain SGD.
        weight_decay: of matrices and convolutions.
        warmup_epochs: length of the linear warm-up.
        early_stopping: epochs without a better validation accuracy after which training stops; 0 runs all epochs.
        balance: how classes of unequal size are balanced: `none`, `loss` (class weights), `sampler` (all classes drawn
            equally often) or `downsample` (to the size of the smallest class).
        targets: `label`, or the votes of FER+ taggers as `majority`, `cross_entropy` (their distribution) or
            `probability` (a label drawn from it in each epoch), after Barsoum et al. 2016; images without votes keep
            their label.
        teacher: model, shipped or by path, for knowledge distillation, see `fit.distillation`; of a list of models the
            mean of their probabilities counts; empty trains without.
        teacher_weight: share of the teacher's probabilities in the targets.
        teacher_views: the teacher predicts each image as it is turned, moved, scaled and lit in this step, before it is
            made small, blurred, darkened, noisy or covered, instead of the plain image once; its probabilities are then
            the only targets, and mixup mixes the images before it sees them (Beyer et al. 2022, "Knowledge
            distillation: A good teacher is patient and consistent").
        unlabeled_split: name of a split whose images are trained on, too, by the teacher's probabilities alone; needs
            `teacher_views`, which reads no labels.
        label_smoothing: share of the target that is spread over all classes.
        mixup: alpha of mixup; 0 switches it off.
        vote_weight: weight of the auxiliary head's loss, cross-entropy with the FER+ votes; needs a network with such a
            head, and is not used where the dataset has no votes.
        ema_decay: of the exponential moving average of the weights, which is what is validated and exported.
        sizes: epoch -> side in pixels to which inputs are scaled from that epoch on; empty always uses `input_size`.
        calibration_fraction: share of the training images that is kept for fitting the calibration temperature.
        augmentation: keyword arguments of `fit.augmentation.build_augmentation`.
    """

    architecture: str
    options: Mapping[str, Any] = field(default_factory=dict)
    pretrained: str = ""
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
    soup_weight: float = 0.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup_epochs: int = 1
    early_stopping: int = 0
    balance: str = "none"
    targets: str = "label"
    teacher: str | Sequence[str] = ""
    teacher_weight: float = 0.5
    teacher_views: bool = False
    unlabeled_split: str = ""
    label_smoothing: float = 0.0
    mixup: float = 0.0
    vote_weight: float = 0.0
    ema_decay: float = 0.999
    sizes: Mapping[int, int] = field(default_factory=dict)
    calibration_fraction: float = 0.05
    augmentation: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in fields(self):
            given = getattr(self, entry.name)
            if entry.type not in (int, float, str, bool):
                continue
            value: Any = as_type(given, entry.type)
            if type(value) is not entry.type:
                hint = "; write true or false" if entry.type is bool else ""
                raise ConfigurationError(f"recipe: {entry.name} {given!r} is not of type {entry.type.__name__}{hint}")
            if isinstance(value, float) and not math.isfinite(value):
                raise ConfigurationError(f"recipe: {entry.name} {value} is not a finite number")
            object.__setattr__(self, entry.name, value)
        for name in ("options", "data", "restarts", "sizes", "augmentation"):
            if not isinstance(getattr(self, name), Mapping):
                raise ConfigurationError(f"recipe: {name} {getattr(self, name)!r} is not a table")
        for name in ("options", "data"):
            _check_plain(getattr(self, name), f"recipe: {name}")
        for name in ("labels", "ignore_classes"):
            value = getattr(self, name)
            if not _is_list_of_names(value):
                raise ConfigurationError(f"recipe: {name} {value!r} is not a list of names")
            object.__setattr__(self, name, tuple(map(_canonical, value)))
        for name, limits in _LIMITS.items():
            _check_number(getattr(self, name), limits, f"recipe: {name}")
        if len(set(self.labels)) < 2:
            raise ConfigurationError(f"recipe: labels {list(self.labels)} are fewer than two classes")
        if "num_classes" in self.options:
            raise ConfigurationError("recipe: options: num_classes is the number of labels; give labels")
        for epoch in (*self.sizes, *self.restarts):
            if epoch < 0:
                raise ConfigurationError(f"recipe: sizes, restarts: epoch {epoch} is below 0")
        for epoch, size in self.sizes.items():
            if type(size) is not int or not 1 <= size <= _LIMITS["input_size"][1]:
                raise ConfigurationError(f"recipe: sizes: {size!r} from epoch {epoch} on is not a side in pixels")
        _check_augmentation(self.augmentation, "recipe: augmentation")
        if self.learning_rate <= 0:
            raise ConfigurationError(f"recipe: learning_rate {self.learning_rate} is not above 0")
        for name in ("calibration_fraction", "ema_decay", "soup_weight"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigurationError(f"recipe: {name} {getattr(self, name)} is not within 0..1")
        if not isinstance(self.teacher, str) and not _is_list_of_names(self.teacher):
            raise ConfigurationError(f"recipe: teacher {self.teacher!r} is neither a name nor a list of names")
        if self.teacher_views and (not self.teachers or self.teacher_weight != 1 or self.vote_weight):
            raise ConfigurationError("recipe: teacher_views needs a teacher, teacher_weight 1 and vote_weight 0")
        if self.unlabeled_split and (not self.teacher_views or self.balance != "none"):
            raise ConfigurationError("recipe: unlabeled_split needs teacher_views, and balance none")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigurationError(f"recipe: {name} '{getattr(self, name)}' is none of {', '.join(known)}")
        for epoch, changes in self.restarts.items():
            if not isinstance(changes, Mapping) or changes.keys() - set(_RESTART_KEYS):
                allowed = " and ".join(_RESTART_KEYS)
                raise ConfigurationError(f"recipe: restart {epoch} {changes!r} has other keys than {allowed}")
            rate = changes.get("learning_rate", 1.0)
            if type(rate) not in (int, float) or not 0 < rate <= _LIMITS["learning_rate"][1]:
                raise ConfigurationError(f"recipe: restart {epoch}: learning_rate {rate!r} is not a number above 0")
            if not isinstance(changes.get("augmentation", {}), Mapping):
                raise ConfigurationError(f"recipe: restart {epoch}: augmentation is not a table")
            _check_augmentation(changes.get("augmentation", {}), f"recipe: restart {epoch}: augmentation")
        if self.soup_weight and not self.restarts and not self.pretrained:
            raise ConfigurationError(
                f"recipe: soup_weight {self.soup_weight} needs other weights to average with: a restart or pretrained"
            )

    @property
    def teachers(self) -> tuple[str, ...]:
        """The models whose probabilities are targets; empty without knowledge distillation."""
        return tuple(name for name in ((self.teacher,) if isinstance(self.teacher, str) else self.teacher) if name)

    def size_in(self, epoch: int) -> int:
        """Returns the side in pixels to which inputs are scaled in an epoch (counted from 0)."""
        started = [first for first in self.sizes if first <= epoch]
        return self.sizes[max(started)] if started else self.input_size

    def last_restart(self) -> int | None:
        """Returns the epoch of the last restart that the run can reach and has epochs before it, None without one."""
        return max((first for first in self.restarts if 0 < first < self.epochs), default=None)

    def augmentation_in(self, epoch: int) -> Mapping[str, Any]:
        """Returns the keyword arguments of the augmentation in an epoch (counted from 0)."""
        started = [first for first, changes in self.restarts.items() if first <= epoch and "augmentation" in changes]
        return self.restarts[max(started)]["augmentation"] if started else self.augmentation

    def learning_rate_at(self, epoch: float) -> float:
        """Returns the learning rate at a moment of the run, in epochs since its start."""
        if epoch < self.warmup_epochs:
            return self.learning_rate * max(0.01, epoch / self.warmup_epochs)
        start, peak = float(self.warmup_epochs), self.learning_rate
        for first in sorted(self.restarts):
            if first <= epoch and "learning_rate" in self.restarts[first]:
                start, peak = float(first), float(self.restarts[first]["learning_rate"])
        if self.schedule == "constant":
            return peak
        end = min((first for first in self.restarts if epoch < first < self.epochs), default=self.epochs)
        return peak * (1 + math.cos(math.pi * min(1.0, (epoch - start) / max(end - start, 1e-9)))) / 2

    def model_spec(self) -> ModelSpec:
        """Returns the spec of a model that is trained with this recipe, its temperature not fitted."""
        return ModelSpec(
            architecture=self.architecture,
            options=dict(self.options),
            input_size=self.input_size,
            normalization=self.normalization,
            pixel_mean=self.pixel_mean,
            pixel_deviation=self.pixel_deviation or 1.0,
            labels=tuple(self.labels),
            crop_margin=self.crop_margin,
            mirror_average=self.mirror_average,
        )

    def as_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON and YAML."""
        return asdict(self) | {name: list(getattr(self, name)) for name in ("labels", "ignore_classes")}


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Reads a shipped recipe by name or any recipe by path.

    Args:
        name_or_path: `compact_vgg` or `my/recipe.yaml`.
        overrides: values of the option `--set`: `KEY=VALUE`, the value in YAML.

    Raises:
        ConfigurationError: there is no such recipe, it is not YAML, or a key is unknown or retired.
    """
    given = name_or_path.lower().endswith((".yaml", ".yml"))
    path = local_path(name_or_path) if given else SHIPPED / f"{name_or_path}.yaml"
    if not path.exists():
        shipped = sorted(entry.stem for entry in SHIPPED.glob("*.yaml"))
        missing = f"{path}: no such file" if given else f"no recipe '{name_or_path}'"
        raise ConfigurationError(f"{missing}; shipped: {', '.join(shipped)}; or give the path of a .yaml file")
    try:
        values = parse_yaml(read_text(path), name_or_path)
    except OSError as e:
        raise ConfigurationError(f"{path}: {e.strerror}") from e
    except ValueError as e:
        if isinstance(e, ConfigurationError):
            raise
        raise ConfigurationError(f"{path}: {e}") from e
    if not isinstance(values, dict):
        raise ConfigurationError(f"{name_or_path}: a recipe is a table of keys and values")
    return build_recipe(values | parse_key_values(overrides, "--set"), f"recipe {name_or_path}")


def recorded_recipe(values: Mapping[str, Any], source: str) -> Recipe:
    """Builds a recipe from the values that a run or a model has recorded; retired names are read, too.

    Raises:
        ConfigurationError: see `build_recipe`.
    """
    return build_recipe(with_present_names(values, RECIPE_KEYS, RECIPE_VALUES), source)


def build_recipe(values: Mapping[str, Any], source: str) -> Recipe:
    """Builds a recipe from plain values, of YAML or of JSON (where every key is a string).

    Args:
        values: key -> value.
        source: where they come from; begins the error message.

    Raises:
        ConfigurationError: a key is unknown, retired or missing, or a value has the wrong type or a retired name.
    """
    for old, new in RECIPE_KEYS.items():
        if old in values:
            raise ConfigurationError(f"{source}: the key {old} is now called {new}")
    for key, present in RECIPE_VALUES.items():
        if isinstance(value := values.get(key), str) and value in present:
            raise ConfigurationError(f"{source}: {key} {value} is now called {present[value]}")
    if unknown := values.keys() - {entry.name for entry in fields(Recipe)}:
        raise ConfigurationError(f"{source}: unknown key {', '.join(sorted(map(str, unknown)))}")
    if "architecture" not in values:
        raise ConfigurationError(f"{source}: lacks architecture")
    tables = {name: _by_epoch(values.get(name, {}), f"{source}: {name}") for name in ("sizes", "restarts")}
    return Recipe(**{**values, **tables})


def check_seed(seed: int) -> None:
    """Raises ConfigurationError if the value of an option `--seed` is not within the limits of a recipe's `seed`."""
    _check_number(seed, _LIMITS["seed"], "--seed")


def _check_augmentation(options: Mapping[str, Any], source: str) -> None:
    """Raises ConfigurationError if an option of the augmentation is not a number within its limits."""
    for name, value in options.items():
        if name not in _AUGMENTATION:
            raise ConfigurationError(f"{source}: unknown key {name}; there are {', '.join(sorted(_AUGMENTATION))}")
        values = value if name == "scale" and isinstance(value, list | tuple) else (value,)
        if name == "scale" and len(values) != 2:
            raise ConfigurationError(f"{source}: scale {value!r} is not [smallest, largest]")
        for number in values:
            _check_number(number, _AUGMENTATION[name], f"{source}: {name}")
        if list(values) != sorted(values):
            raise ConfigurationError(f"{source}: scale {value!r} is not [smallest, largest]")


def _is_list_of_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _check_number(value: Any, limits: tuple[float, float], source: str) -> None:
    """Raises ConfigurationError if a value is not a number within its limits, which are included."""
    if type(value) not in (int, float):
        raise ConfigurationError(f"{source} {value!r} is not a number")
    if violation := OptionLimits("", *limits).violation(source, value):
        raise ConfigurationError(violation)


def _check_plain(table: Mapping[Any, Any], source: str) -> None:
    """Raises ConfigurationError if a key is not a name, or JSON, in which it is recorded, has no form for a value."""
    if not all(isinstance(key, str) for key in table):
        raise ConfigurationError(f"{source} {table!r} has a key that is not a name")
    try:
        json.dumps(table, allow_nan=False)
    except (TypeError, ValueError) as e:
        raise ConfigurationError(f"{source}: {one_line(e)}") from None


def _canonical(name: str) -> str:
    """Returns the usual spelling of a label, any other name as it is."""
    try:
        return canonical_label(name)
    except DatasetError:
        return name


def _by_epoch(table: Any, source: str) -> dict[int, Any]:
    """Returns a table whose keys are epochs; JSON has them as strings."""
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{source} {table!r} is not a table of epochs")
    by_epoch = {}
    for key, value in table.items():
        epoch = int(key) if isinstance(key, str) and _WHOLE.fullmatch(key) else as_type(key, int)
        if type(epoch) is not int or epoch in by_epoch:
            raise ConfigurationError(f"{source} {table!r} has a key that is not an epoch, or is there twice")
        by_epoch[epoch] = value
    return by_epoch
