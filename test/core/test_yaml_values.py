# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.yaml_values import parse_key_values, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("-2.5e+2", -250.0),
        (".5e1", 5.0),
        ("1.e2", 100.0),
        ("0.1", 0.1),
        ("12", 12),
        ("0x1e3", 0x1E3),
        ("1e3a", "1e3a"),
        ("e3", "e3"),
        ("'1e3'", "1e3"),
        ("", None),
        ("true", True),
    ],
)
def test_numbers_with_an_exponent_are_floats(text, value):
    parsed = parse_yaml(text, "test")
    assert parsed == value
    assert type(parsed) is type(value)


def test_exponents_are_read_inside_lists_and_tables():
    assert parse_yaml("{a: 1e-3, b: [2e2]}", "test") == {"a": 0.001, "b": [200.0]}


def test_key_values_are_yaml_and_the_last_one_counts():
    values = parse_key_values(["rate=1e-3", "size=[64, 48]", "name=", "rate = 2", "text=a=b"], "--set")
    assert values == {"rate": 2, "size": [64, 48], "name": None, "text": "a=b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rate", "--set rate: write KEY=VALUE"),
        ("=1", "--set =1: write KEY=VALUE"),
        ("a-b=1", "--set a-b=1: write KEY=VALUE"),
        ("rate=[", r"--set rate=\[: not YAML"),
    ],
)
def test_what_is_no_key_with_a_value_is_refused(text, message):
    with pytest.raises(ConfigurationError, match=message) as refusal:
        parse_key_values([text], "--set")
    assert "\n" not in str(refusal.value)
