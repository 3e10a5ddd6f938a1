"""A training recipe: every choice that makes one trained model, read from YAML."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from emotion_perception.core.errors import ConfigurationError, one_line

_SHIPPED = Path(__file__).parent / "recipes"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The hyper-parameters of one training run.

    Attributes:
        architecture: name of the network, see `architectures.network_names`.
        options: keyword arguments of the network.
        input_size: side of the network input in pixels, also when evaluating.
        normalisation: see `core.preprocessing.NORMALISATIONS`.
        crop_margin: margin around a detector's box that gives crops like the training pictures.
        mirror_average: evaluate and export with the mirror image averaged in.
        seed: of the weights, the order, the augmentation and the held-out part.
        epochs: passes over the training pictures.
        batch_size: pictures a step.
        learning_rate: peak of SGD with Nesterov momentum; linear warm-up, then cosine to 0.
        momentum: of SGD.
        weight_decay: of SGD.
        warmup_epochs: length of the linear warm-up.
        label_smoothing: share of the target spread over all classes.
        vote_weight: weight of the second head's loss, cross-entropy with the FER+ votes; needs votes in the data.
        ema_decay: of the averaged weights, which are what is evaluated and kept.
        sizes: first epoch -> side in pixels that the inputs are scaled to from there on; empty keeps `input_size`.
        holdout: share of the training pictures kept apart for fitting the calibration temperature.
        augmentation: keyword arguments of `augmentation.build_augmentation`.
    """

    architecture: str
    options: Mapping[str, Any] = field(default_factory=dict)
    input_size: int = 48
    normalisation: str = "standardise"
    crop_margin: float = 0.04
    mirror_average: bool = False
    seed: int = 1
    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup_epochs: int = 1
    label_smoothing: float = 0.0
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
        for name in ("options", "sizes", "augmentation"):
            if not isinstance(getattr(self, name), Mapping):
                raise ConfigurationError(f"recipe: {name} {getattr(self, name)!r} is not a table")
        for name in ("epochs", "batch_size", "input_size"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"recipe: {name} {getattr(self, name)} is below 1")
        if not 0 <= self.holdout < 1:
            raise ConfigurationError(f"recipe: holdout {self.holdout} is not within 0..1")
        if not 0 <= self.ema_decay < 1:
            raise ConfigurationError(f"recipe: ema_decay {self.ema_decay} is not within 0..1")

    def size_in(self, epoch: int) -> int:
        """Returns the side in pixels that inputs are scaled to in this epoch (counted from 0)."""
        begun = [first for first in self.sizes if first <= epoch]
        return self.sizes[max(begun)] if begun else self.input_size

    def as_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON and YAML."""
        return asdict(self)


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Reads a shipped recipe by name or any recipe by path.

    Args:
        name_or_path: `compact_vgg` or `my/recipe.yaml`.
        overrides: `key=value`, the value in YAML, as of the command line's `--set`.

    Raises:
        ConfigurationError: there is no such recipe, it is not YAML, or a key is unknown.
    """
    path = Path(name_or_path) if name_or_path.endswith((".yaml", ".yml")) else _SHIPPED / f"{name_or_path}.yaml"
    if not path.is_file():
        shipped = sorted(entry.stem for entry in _SHIPPED.glob("*.yaml"))
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
        return Recipe(**{**values, "sizes": sizes})
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
