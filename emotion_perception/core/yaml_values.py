# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads YAML values from files and from `KEY=VALUE` options of the command line."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import yaml

from emotion_perception.core.errors import ConfigurationError, one_line
from emotion_perception.core.yaml_limits import check_yaml


class _Loader(yaml.SafeLoader):
    """Reads scalars by the core schema of YAML 1.2; PyYAML follows YAML 1.1.

    There `1e-3` is a string, `no` a bool, `010` is eight, `1:30` ninety and `2026-01-02` a date. `1_000` is a number
    as in Python. A key that occurs twice in a table is an error, as YAML has it.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Composes a table."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        known = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in known:
                    raise yaml.composer.ComposerError(None, None, f"the key {key.value} occurs twice", key.start_mark)
                known.add((key.tag, key.value))
        return node


_Loader.yaml_implicit_resolvers = {}  # without those of YAML 1.1
_NUMBER = list("-+.0123456789")
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?\d+(_\d+)*|0o[0-7]+|0x[\da-fA-F]+", _NUMBER),
    (
        "float",
        r"[-+]?(\d+(_\d+)*\.?\d*|\.\d+)[eE][-+]?\d+|[-+]?(\d+(_\d+)*\.\d*|\.\d+)|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        _NUMBER,
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"({_pattern})\Z"), _first)


_LONGEST_INT = 2000  # digits; Python prints ints of up to 4300 decimal digits


def _int(text: str) -> int:
    if len(text) > _LONGEST_INT:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text.replace("_", ""), 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)


_Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: _int(node.value))
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def parse_yaml(text: str, source: str) -> Any:
    """Parses a YAML document.

    Args:
        text: the document.
        source: where it comes from; begins the error message.

    Raises:
        ConfigurationError: it is not YAML.
    """
    text = text.removeprefix("\ufeff")
    try:
        with suppress(yaml.YAMLError):  # the next line raises it
            check_yaml(text)
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as e:
        where = f"line {e.problem_mark.line + 1}: " if e.problem_mark else ""
        raise ConfigurationError(f"{source}: not YAML ({where}{e.problem or one_line(e)})") from e
    except (yaml.YAMLError, ValueError, RecursionError) as e:  # e.g. an int of more than 4300 digits
        raise ConfigurationError(f"{source}: not YAML ({one_line(e)})") from e


def as_type(value: Any, wanted: type) -> Any:
    """Returns a value of YAML in the type of its key where that loses nothing; otherwise the value as it is.

    An int becomes a float (`1`), a float without fraction an int (`1e3`), and `yes`, `no`, `on` and `off` a bool.
    """
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is int and type(value) is float and value.is_integer():
        return int(value)
    if wanted is bool and isinstance(value, str):
        return _WORDS.get(value.lower(), value)
    return value


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
