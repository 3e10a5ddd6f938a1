# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options: frozen dataclasses whose fields carry a default, limits and a description.

Each stage of the core declares its own in `<stage>/options.py`; `ros/config.py` composes them into the nodes'
configurations. ROS parameters, their descriptions, config/emotion_perception.yaml and the documents' tables are made
from these fields, so a default, a limit or a description is written once.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from emotion_perception.core.errors import ConfigurationError

AnyOptions = TypeVar("AnyOptions", bound="Options")


@dataclass(frozen=True)
class OptionLimits:
    """The values that an option may have; a tuple has at least one entry and no duplicates.

    Attributes:
        description: one line for `ros2 param describe` and the documents.
        minimum: smallest number allowed, or None.
        maximum: largest number allowed, or None.
        choices: the strings allowed; empty allows any.
        live: True where the value may change while a node runs.
    """

    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    def violation(self, name: str, value: Any) -> str | None:
        """Returns why a value is not allowed, or None where it is.

        Args:
            name: of the option, for the message.
            value: of the option's type.
        """
        if self.choices and value not in self.choices:
            return f"{name} '{value}' is none of {', '.join(self.choices)}"
        if self.minimum is not None and not value >= self.minimum:
            return f"{name} {value} is below {self.minimum}"
        if self.maximum is not None and not value <= self.maximum:
            return f"{name} {value} is above {self.maximum}"
        if isinstance(value, tuple) and not 0 < len(value) == len(set(value)):
            return f"{name} {list(value)} is empty or has a duplicate"
        return None


def option(
    default: Any,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
) -> Any:
    """Declares one option as a dataclass field; arguments as of `OptionLimits`."""
    limits = OptionLimits(description, minimum, maximum, choices, live)
    return dataclasses.field(default=default, metadata={"limits": limits})


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of all options: checks every value against its type and limits.

    A field is either an `option` or contains the options of a stage, e.g.
    `tracker: TrackerOptions = dataclasses.field(default_factory=TrackerOptions)`.

    Raises:
        ConfigurationError: a value has the wrong type or is outside its limits.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            expected = _group_of(field) or type(field.default)
            if type(value) is not expected:
                raise ConfigurationError(
                    f"{field.name} {value!r} is of type {type(value).__name__}, expected {expected.__name__}"
                )
            if "limits" in field.metadata and (violation := limits_of(field).violation(field.name, value)):
                raise ConfigurationError(violation)


def option_fields(options_type: type[Options]) -> Iterator["dataclasses.Field[Any]"]:
    """Yields the field of every single option of a class, those of the options that it contains in their place."""
    for field in dataclasses.fields(options_type):
        group = _group_of(field)
        if group is None:
            yield field
        else:
            yield from option_fields(group)


def limits_of(field: "dataclasses.Field[Any]") -> OptionLimits:
    """Returns the limits of a field that `option` declared."""
    limits: OptionLimits = field.metadata["limits"]
    return limits


def option_values(options: Options) -> dict[str, Any]:
    """Returns the value of every single option by its name, those of the contained options beside the others."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        values |= option_values(value) if isinstance(value, Options) else {field.name: value}
    return values


def with_values(options: AnyOptions, values: Mapping[str, Any]) -> AnyOptions:
    """Returns a copy with other values.

    Args:
        options: stays as it is.
        values: by name of the option, at whatever depth it is; a name that several contained options share changes
            all of them, a name that none has is ignored.

    Raises:
        ConfigurationError: as of `Options`.
    """
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if isinstance(value, Options):
            changes[field.name] = with_values(value, values)
        elif field.name in values:
            changes[field.name] = values[field.name]
    return dataclasses.replace(options, **changes)


def _group_of(field: "dataclasses.Field[Any]") -> type[Options] | None:
    """Returns the class of the options that a field contains, None for a single option."""
    factory: Any = field.default_factory  # mypy sees a callable without arguments, not a class
    return factory if isinstance(factory, type) and issubclass(factory, Options) else None
