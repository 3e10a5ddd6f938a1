# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import pytest

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.yaml_values import as_type, parse_key_values, parse_yaml


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
        ("1_000", 1000),
        ("1_000.5", 1000.5),
        ("010", 10),
        ("0o17", 15),
        ("+3", 3),
        ("1:30", "1:30"),
        ("2026-01-02", "2026-01-02"),
        ("no", "no"),
        ("on", "on"),
        ("~", None),
        ("-.inf", -math.inf),
        ("\ufeff12", 12),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    parsed = parse_yaml(text, "test")
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("value", "wanted", "converted"),
    [
        (1, float, 1.0),
        (1e3, int, 1000),
        (1.5, int, 1.5),
        ("yes", bool, True),
        ("Off", bool, False),
        ("maybe", bool, "maybe"),
        (1, bool, 1),
        ("yes", str, "yes"),
    ],
)
def test_a_value_takes_the_type_of_its_key_where_nothing_is_lost(value, wanted, converted):
    found = as_type(value, wanted)
    assert found == converted
    assert type(found) is type(converted)


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
        ("rate=[", r"--set rate=\[: not YAML \(line 1: "),
        ("rate=" + "1" * 5000, "not YAML"),
        ("rate=!!python/name:os.system", "not YAML"),
    ],
)
def test_what_is_no_key_with_a_value_is_refused(text, message):
    with pytest.raises(ConfigurationError, match=message) as refusal:
        parse_key_values([text], "--set")
    assert "\n" not in str(refusal.value)
