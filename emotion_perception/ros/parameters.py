# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Declares a configuration dataclass as ROS parameters, applies their changes and refuses unknown ones."""

import contextlib
import dataclasses
import difflib
import functools
import itertools
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    NameValidationException,
    ParameterException,
)
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import HistoryPolicy, ReliabilityPolicy

from emotion_perception.core.errors import ConfigurationError, RecordingError, clipped, one_line, refused_path
from emotion_perception.core.options import OptionLimits, Options, limits_of, option_fields, with_values
from emotion_perception.core.retired_names import PARAMETERS
from emotion_perception.ros.config import NODE_CONFIGS, RELIABILITIES

Config = TypeVar("Config", bound=Options)
_QOS_OVERRIDES = "qos_overrides."
_QOS_ENTITIES = ("publisher", "subscription")
_QOS_POLICIES = ("history", "depth", "reliability")
_QOS_VALUES: Mapping[str, Sequence[str]] = {
    policy: [name for name in values.short_keys() if name != "unknown"]  # Humble does not know best_available
    for policy, values in (("history", HistoryPolicy), ("reliability", ReliabilityPolicy))
}
_MAX_DEPTH = 2**31 - 1  # of rclpy
_WRONG_NAME = re.compile("invalid node name|with incompatible type")  # RCLError, a RuntimeError, has no subclasses
_RCLPY_PARAMETERS = ("use_sim_time", "start_type_description_service")  # Humble does not know the second


class Parameters(Generic[Config]):
    """A node's parameters as one frozen value that is replaced as a whole when one of them changes.

    Raises:
        ConfigurationError: a given value has the wrong type or is outside its limits.
    """

    def __init__(self, node: Node, config_type: type[Config]) -> None:
        self._value = with_values(
            config_type(), {field.name: _declare(node, field) for field in option_fields(config_type)}
        )
        node.add_on_set_parameters_callback(self._on_set_parameters)  # Humble has no callback for after the check

    @property
    def value(self) -> Config:
        """The present values."""
        return self._value

    def _on_set_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        if not all(change.name for change in changes):  # rclpy refuses every undeclared name but this one
            return SetParametersResult(successful=False, reason="a parameter has an empty name")
        try:
            self._value = self._changed(changes)
        except ConfigurationError as e:
            return SetParametersResult(successful=False, reason=clipped(str(e)))
        return SetParametersResult(successful=True)

    def _changed(self, changes: list[Parameter]) -> Config:
        return with_values(self._value, {change.name: _to_field_value(change.value) for change in changes})


def configuration_problem(error: Exception) -> str | None:
    """Returns one line about an error that was caused by a value that somebody gave; None for another error.

    Args:
        error: raised while a node was created or configured: one of this package, of the system where it refuses a path
            (`refused_path`), or of rclpy where a parameter of its
            own has the wrong type, a name is too long, two topics of different types were remapped to one name, or
            ROS security refuses the node or one of its topics.
    """
    if isinstance(error, ConfigurationError | RecordingError):
        return str(error)
    if (line := refused_path(error)) is not None:
        return line
    if isinstance(error, ParameterException):
        return clipped(f"invalid parameter: {one_line(error)}")
    if isinstance(error, NameValidationException):
        return clipped(f"a name that was given is invalid or too long: {one_line(error).rstrip(':')}")
    text = one_line(error).partition(", at ")[0]
    if isinstance(error, rclpy_implementation.RCLError) and os.environ.get("ROS_SECURITY_ENABLE", "").lower() == "true":
        return clipped(f"ROS_SECURITY_ENABLE=true, but the middleware refuses: {text}")
    return clipped(text) if isinstance(error, RuntimeError) and _WRONG_NAME.search(text) else None


def parameter_names(nodes: Iterable[str]) -> frozenset[str]:
    """Returns the names of all parameters that any of the nodes has, keys of `NODE_CONFIGS`."""
    return frozenset(field.name for node in nodes for field in option_fields(NODE_CONFIGS[node]))


def refuse_unknown_parameters(node: Node, *, foreign: Collection[str] = (), overrides: Collection[str] = ()) -> None:
    """Checks that a node has every parameter that it was given; to be called when all are declared.

    Logs a warning where a parameter file has sections for nodes of its name in other namespaces only: rcl ignores them.

    Args:
        node: the node.
        foreign: parameters of other nodes that the command line may give to all nodes of the process.
        overrides: see `qos_override_names`.

    Raises:
        ConfigurationError: the node was given a parameter that it does not have; the message suggests a similar one. A
            parameter of another node of this package is allowed in a parameter file's section for all nodes (`/**`). Or
            a parameter of `qos_overrides` has an invalid value, of which rclpy names neither parameter nor value.
    """
    known = {*_RCLPY_PARAMETERS, *foreign, *overrides}
    for name in node._parameter_overrides:  # rclpy has no public access to the given values
        if name in overrides:
            _check_qos_value(name, node._parameter_overrides[name].value)
        if node.has_parameter(name) or name in known:
            continue
        if name.startswith(_QOS_OVERRIDES) and ((foreign and _may_be_of_another(name)) or _in_wildcards(name)):
            continue
        if successor := PARAMETERS.get(name):
            raise ConfigurationError(f"parameter {name} is called {successor} now")
        if name in parameter_names(NODE_CONFIGS) and name in _wildcard_parameters(sys.argv):
            continue
        raise ConfigurationError(_no_parameter(node, name, {*foreign, *overrides}))
    name, full_name = node.get_name(), node.get_fully_qualified_name()
    sections = [pattern for pattern, _ in _given_sections(tuple(sys.argv)) if pattern.rpartition("/")[2] == name]
    if sections and not any(section_fits(pattern, full_name) for pattern in sections):
        node.get_logger().warning(
            f"the parameters of {clipped(', '.join(sections))} are not for {full_name}; "
            f"a section /**/{name} is for every namespace"
        )


def refuse_overrides_for_no_node(nodes: Collection[Node], names: Collection[str]) -> None:
    """Checks that each parameter of `qos_overrides` that the nodes of a process were given is for one of them.

    Args:
        nodes: all nodes of the process.
        names: all parameters of `qos_overrides` that any of them may have.

    Raises:
        ConfigurationError: one is for no node, e.g. because of a misspelled namespace.
    """
    for name in sorted({name for node in nodes for name in node._parameter_overrides}):
        if name.startswith(_QOS_OVERRIDES) and name not in names and not _in_wildcards(name):
            nearest = difflib.get_close_matches(name, sorted(names), 1)
            hint = f", did you mean {nearest[0]}?" if nearest else ""
            raise ConfigurationError(f"no node of this process has the parameter {name}{hint}")


def _check_qos_value(name: str, value: object) -> None:
    policy = name.rpartition(".")[2]
    if policy == "depth":
        if type(value) is not int or not 0 <= value <= _MAX_DEPTH:
            problem = f"{clipped(repr(value))} is not a whole number from 0 to {_MAX_DEPTH}"
            raise ConfigurationError(f"parameter {name} {problem}")
        return
    known, given = _QOS_VALUES[policy], value.lower() if isinstance(value, str) else value
    if name.endswith(".subscription.reliability"):  # which rclpy does not read, see `qos.overridden_reliability`
        known, given = RELIABILITIES, value
    if given not in known:
        raise ConfigurationError(f"parameter {name} {clipped(repr(value))} is none of {', '.join(known)}")


def unknown_parameter(node: Node, changes: Iterable[Parameter]) -> SetParametersResult | None:
    """Returns the refusal of the first of some parameters that a node does not have; rclpy's names none. Else None."""
    for name in (change.name for change in changes if change.name):
        if not node.has_parameter(name):
            return SetParametersResult(successful=False, reason=clipped(_no_parameter(node, name, ())))
    return None


def _no_parameter(node: Node, name: str, others: Collection[str]) -> str:
    nearest = difflib.get_close_matches(name, sorted({*node._parameters, *others}), 1)
    hint = f", did you mean {nearest[0]}?" if nearest else "; --help lists those that there are"
    return f"{node.get_name()} has no parameter {name}{hint}"


def qos_override_names(node: Node, topics: Iterable[str]) -> frozenset[str]:
    """Returns the names of the parameters of `qos_overrides` that a node may have.

    Args:
        node: resolves the names of the topics.
        topics: image topics of the node; what is no topic has no parameters.
    """
    names: set[str] = set()
    for topic in topics:
        with contextlib.suppress(RuntimeError):  # the base class of rclpy's errors; `configure` reports it
            names.add(node.resolve_topic_name(topic))
    names |= {node.resolve_topic_name(f"{name}/compressed") for name in names}
    parts = itertools.product(sorted(names), _QOS_ENTITIES, _QOS_POLICIES)
    return frozenset(f"{_QOS_OVERRIDES}{topic}.{entity}.{policy}" for topic, entity, policy in parts)


def _may_be_of_another(name: str) -> bool:
    """Returns whether a parameter of `qos_overrides` can be for an image topic of another node of the process."""
    topic, _, policy = name.removeprefix(_QOS_OVERRIDES).rpartition(".")
    topic, _, entity = topic.rpartition(".")
    remapped = {rule.rpartition("/")[2] for rule in (word.rpartition(":=")[2] for word in sys.argv if ":=" in word)}
    known = {"image_raw", "camera_info", "compressed", *remapped}
    return policy in _QOS_POLICIES and entity in _QOS_ENTITIES and topic.rpartition("/")[2] in known


def _in_wildcards(name: str) -> bool:
    """Returns whether a parameter file gives `qos_overrides` to nodes of any name."""
    return not {name, _QOS_OVERRIDES[:-1]}.isdisjoint(_wildcard_parameters(sys.argv))


def _wildcard_parameters(arguments: Sequence[str]) -> set[str]:
    """Returns the parameters that the parameter files of a command line give to nodes of any name."""
    sections = _given_sections(tuple(arguments))
    return set[str]().union(*(parameters for node, parameters in sections if node.endswith("*")))


@functools.cache  # the nodes of a process have the same files
def _given_sections(arguments: tuple[str, ...]) -> list[tuple[str, Mapping[str, Any]]]:
    """Returns the sections of the parameter files of a command line; rclpy has read them before."""
    paths = [Path(path) for option, path in itertools.pairwise(arguments) if option == "--params-file"]
    return [section for path in paths for section in read_sections(path)]


def read_sections(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """Returns the sections of a parameter file, see `parameter_sections`; every value is text, as it is written.

    rcl, which sets the parameters, has types of its own and ignores tags (launch_ros writes lists as `!!python/tuple`),
    so nothing is read as a date, a number or an object here.
    """
    trees = yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return [section for tree in trees for section in parameter_sections(tree)]


def section_fits(pattern: str, full_name: str) -> bool:
    """Returns whether a section of a parameter file is for a node.

    Args:
        pattern: name of the section, with `*` for a name and `**` for any number of them.
        full_name: of the node, with its namespace.
    """
    parts = {"**": "(/[^/]+)*", "*": "/[^/]+"}
    expression = "".join(parts.get(part, "/" + re.escape(part)) for part in pattern.strip("/").split("/"))
    return re.fullmatch(expression, full_name) is not None


def parameter_sections(tree: object, name: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yields the full name, maybe with wildcards, and the parameters of each node in a parameter file.

    Args:
        tree: content of the file, in the format of rcl: names of namespaces and nodes, nested or joined by slashes.
        name: of the namespace that the tree is in.
    """
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if key != "ros__parameters":
            yield from parameter_sections(value, f"{name}/{str(key).strip('/')}")
        elif isinstance(value, dict):
            yield name, value


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
        value = node.declare_parameter(field.name, field.default, describe(limits_of(field))).value
    except InvalidParameterTypeException as e:
        wanted = "list" if isinstance(field.default, tuple) else type(field.default).__name__
        raise ConfigurationError(f"parameter {field.name} is a {wanted}: {e}") from e
    except InvalidParameterValueException as e:
        raise ConfigurationError(f"parameter {field.name}: {e}") from e
    if value is None:  # what rcl makes of []
        raise ConfigurationError(f"parameter {field.name} is empty")
    return _to_field_value(value)


def _to_field_value(value: object) -> object:
    """Returns a parameter's value with the type of the dataclass field: rclpy returns arrays as lists."""
    return tuple(value) if isinstance(value, list) else value
