# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages of packages that this package does not depend on."""

import importlib
import os
from collections.abc import Callable
from typing import Any, TypeVar

from emotion_perception.core.errors import ConfigurationError, one_line
from emotion_perception.core.message_adapters import TypeLookup

Made = TypeVar("Made")

_UNUSABLE = (ImportError, AttributeError, TypeError, RuntimeError, OSError)
"""What Python and rclpy raise for a package of that name that has other messages, or was built for another ROS."""


def with_messages(package: str, make: Callable[[TypeLookup], Made]) -> Made | None:
    """Returns what is made with the messages of a package; None if it is not installed.

    Args:
        package: name of the package.
        make: gets a function that finds its message types; it sets the fields that it is given, and leaves the others
            at their defaults.

    Raises:
        ConfigurationError: the package cannot be used.
    """
    try:
        importlib.import_module(f"{package}.msg")
        return make(_message_type)
    except ModuleNotFoundError as e:
        if e.name == package:
            return None
        raise _refusal(package, e) from e
    except _UNUSABLE as e:
        raise _refusal(package, e) from e


def with_required_messages(package: str, parameter: str, make: Callable[[TypeLookup], Made]) -> Made:
    """Returns what is made with the messages of a package, as `with_messages`.

    Args:
        package: name of the package.
        parameter: what needs the package, for the message.
        make: as of `with_messages`.

    Raises:
        ConfigurationError: the package is not installed, or cannot be used.
    """
    made = with_messages(package, make)
    if made is None:
        apt = f"ros-{os.environ.get('ROS_DISTRO') or '$ROS_DISTRO'}-{package.replace('_', '-')}"
        raise ConfigurationError(f"{parameter} needs {package}, which is not installed: sudo apt install {apt}")
    return made


def class_of(name: str) -> Any:
    """Returns the class of a message type, such as `hri_msgs/msg/IdsList`; for `make` of `with_messages`."""
    package, _, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), kind)


def _message_type(name: str) -> Callable[..., Any]:
    """Returns a function that makes messages of a type from some of its fields.

    It takes the defaults of the other fields from one message, where the constructor of a rosidl class builds a new
    default for every field, also for those that it is given. Messages share these defaults: they must not be changed.
    """
    message_class = class_of(name)
    default = message_class()
    defaults = [(slot, getattr(default, slot)) for slot in message_class.__slots__]

    def make(**values: Any) -> Any:
        message = message_class.__new__(message_class)
        for slot, value in defaults:
            setattr(message, slot, value)
        for field, value in values.items():
            setattr(message, field, value)
        return message

    return make


def _refusal(package: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"the installed {package} cannot be used ({one_line(error)})")
