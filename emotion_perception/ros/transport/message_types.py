# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds message types by a name that another participant has chosen.

A name is only compared with those of the installed interface packages, which the ament index lists. Nothing is imported
and no file is opened under a name that is not among them.
"""

import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ament_index_python import get_package_share_directory, get_resource, get_resources
from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import Typesdict
from rosbags.typesys import TypesysError, get_types_from_msg
from rosbags.typesys.store import Typestore

_NAME = re.compile(r"([a-z][a-z0-9_]*)/msg/([A-Z][A-Za-z0-9]*)", re.ASCII)
_MAX_NAME = 255  # of a type in DDS discovery
_MAX_DEFINITION_BYTES = 1 << 20


def message_class(name: str) -> type | None:
    """Returns the class of a message type such as `sensor_msgs/msg/Image`, None if it is not installed."""
    if not is_installed(name):
        return None
    package, folder, kind = name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.{folder}"), kind, None)
    except ImportError:
        return None


def is_installed(name: str) -> bool:
    """Returns whether an installed interface package has a message type of this name."""
    match = _NAME.fullmatch(name) if len(name) <= _MAX_NAME else None
    if match is None or match[1] not in get_resources("rosidl_interfaces"):
        return False
    interfaces, _ = get_resource("rosidl_interfaces", match[1])
    return f"msg/{match[2]}.msg" in interfaces.splitlines()


def add_definition(store: Typestore, name: str) -> bool:
    """Adds the definition of an installed type to a type store, with those of its fields.

    Args:
        store: gets those that it does not have.
        name: such as `sensor_msgs/msg/Image`.

    Returns:
        False if a definition is missing or cannot be parsed; nothing is added then.
    """
    found: Typesdict = {}
    missing = [name]
    while missing:
        name = missing.pop()
        if name in store.types or name in found:
            continue
        if not is_installed(name):
            return False
        package, folder, kind = name.split("/")
        path = Path(get_package_share_directory(package), folder, f"{kind}.msg")
        try:
            if path.stat().st_size > _MAX_DEFINITION_BYTES:
                return False
            types = get_types_from_msg(path.read_text("utf-8"), name)
        except (OSError, UnicodeDecodeError, TypesysError):
            return False
        found |= types
        missing += [part for _, fields in types.values() for _, field in fields for part in _named_types(field)]
    try:
        store.register(found)
    except TypesysError:
        return False
    return True


def _named_types(field: Any) -> Iterable[str]:
    """Yields the message type of a field, if it has one; `field` is a pair (kind, its description) of rosbags."""
    kind, description = field
    if kind == Nodetype.NAME:
        yield description
    elif kind != Nodetype.BASE:  # an array or a sequence: the field of an element, and a length
        yield from _named_types(description[0])
