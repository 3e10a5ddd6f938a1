# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checks names of topics and namespaces that users give: in parameters, and in arguments of the launch files."""

from rclpy.exceptions import NameValidationException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.node import Node
from rclpy.validate_full_topic_name import validate_full_topic_name
from rclpy.validate_namespace import validate_namespace
from rclpy.validate_topic_name import validate_topic_name

from emotion_perception.core.errors import ConfigurationError, one_line
from emotion_perception.core.printable import printable

_INVALID = (NameValidationException, RuntimeError, ValueError)  # the second one is the base class of RCLError


def resolved_topic(node: Node, name: str, given_as: str) -> str:
    """Returns the full name of a topic, with the namespace and the remappings of a node.

    Args:
        node: which uses the topic.
        name: relative or absolute.
        given_as: the parameter that has the name, for the message.

    Raises:
        ConfigurationError: it is not a topic name.
    """
    check_topic_name(name, given_as)
    try:
        return str(node.resolve_topic_name(name))
    except _INVALID as e:  # too long with the namespace
        raise _refusal(name, given_as, "a topic name", e) from e


def check_topic_name(name: str, given_as: str) -> None:
    """Raises ConfigurationError if a name cannot be that of a topic, see `resolved_topic`."""
    try:
        validate_topic_name(name)  # before rcl, whose own messages name its source file
        validate_full_topic_name(expand_topic_name(name, "node", "/"))
    except _INVALID as e:
        raise _refusal(name, given_as, "a topic name", e) from e


def check_namespace(name: str, given_as: str) -> None:
    """Raises ConfigurationError if a name, relative or absolute, cannot be that of a namespace; empty is none."""
    try:
        validate_namespace(name if name.startswith("/") else f"/{name}")
    except _INVALID as e:
        raise _refusal(name, given_as, "a namespace", e) from e
    if "__" in name:  # rcl's remapping rules cannot name it
        raise ConfigurationError(
            f"{given_as}: '{printable(name)}' is not a namespace (it has two underscores in a row)"
        )


def _refusal(name: str, given_as: str, kind: str, error: Exception) -> ConfigurationError:
    reason = one_line(error).partition(", at ")[0].rstrip(":").removeprefix("Invalid topic name: ")
    return ConfigurationError(
        f"{given_as}: '{printable(name)}' is not {kind} ({reason.removeprefix('Invalid namespace: ')})"
    )
