# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads YAML values from files and from `KEY=VALUE` options of the command line."""

import re
from collections.abc import Sequence
from typing import Any

import yaml

from emotion_perception.core.errors import ConfigurationError, one_line


class _Loader(yaml.SafeLoader):
    """Reads numbers such as `1e-3` as floats, as YAML 1.2 does; PyYAML follows YAML 1.1, where they are strings."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def parse_yaml(text: str, source: str) -> Any:
    """Parses a YAML document.

    Args:
        text: the document.
        source: where it comes from; begins the error message.

    Raises:
        ConfigurationError: it is not YAML.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as e:
        raise ConfigurationError(f"{source}: not YAML ({one_line(e)})") from e


def parse_key_values(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Parses the values of an option that is given as KEY=VALUE, the value in YAML.

    Args:
        texts: one string for each time that the option was given; the last one of a key is taken.
        option: name of the option; begins the error message.

    Raises:
        ConfigurationError: a string is not of that form, or its value is not YAML.
    """
    values = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key.isidentifier():
            raise ConfigurationError(f"{option} {text}: write KEY=VALUE")
        values[key] = parse_yaml(value, f"{option} {text}")
    return values
