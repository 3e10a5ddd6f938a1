# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Declares a configuration dataclass as ROS parameters, and follows their changes."""

import dataclasses
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.options import OptionLimits, Options, limits_of, option_fields, with_values

Config = TypeVar("Config", bound=Options)


class Parameters(Generic[Config]):
    """A node's parameters as one frozen value that is exchanged whole when one of them changes.

    Raises:
        ConfigurationError: a given value has the wrong type or is outside its limits.
    """

    def __init__(self, node: Node, config_type: type[Config]) -> None:
        self._value = with_values(
            config_type(), {field.name: _declare(node, field) for field in option_fields(config_type)}
        )
        node.add_on_set_parameters_callback(self._adopt)  # Humble has no callback for after the check

    @property
    def value(self) -> Config:
        """The present values."""
        return self._value

    def _adopt(self, changes: list[Parameter]) -> SetParametersResult:
        try:
            self._value = self._changed(changes)
        except ConfigurationError as e:
            return SetParametersResult(successful=False, reason=str(e))
        return SetParametersResult(successful=True)

    def _changed(self, changes: list[Parameter]) -> Config:
        return with_values(self._value, {change.name: _plain(change.value) for change in changes})


def describe(limits: OptionLimits) -> ParameterDescriptor:
    """Returns the descriptor that `ros2 param describe` shows."""
    constraints = f"one of {', '.join(limits.choices)}" if limits.choices else ""
    descriptor = ParameterDescriptor(
        description=limits.description, read_only=not limits.live, additional_constraints=constraints
    )
    if isinstance(limits.minimum, float) and limits.maximum is not None:
        descriptor.floating_point_range = [FloatingPointRange(from_value=limits.minimum, to_value=limits.maximum)]
    elif limits.minimum is not None and limits.maximum is not None:
        descriptor.integer_range = [IntegerRange(from_value=limits.minimum, to_value=limits.maximum, step=1)]
    return descriptor


def _declare(node: Node, field: "dataclasses.Field[Any]") -> object:
    try:
        return _plain(node.declare_parameter(field.name, field.default, describe(limits_of(field))).value)
    except InvalidParameterTypeException as e:
        wanted = "list" if isinstance(field.default, tuple) else type(field.default).__name__
        raise ConfigurationError(f"parameter {field.name} is a {wanted}: {e}") from e
    except InvalidParameterValueException as e:
        raise ConfigurationError(f"parameter {field.name}: {e}") from e


def _plain(value: object) -> object:
    """Returns a parameter's value as the dataclass has it: rclpy gives arrays as lists."""
    return tuple(value) if isinstance(value, list) else value
