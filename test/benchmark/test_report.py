# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
from pathlib import Path

import pytest

from emotion_perception.benchmark.commands.benchmark import SECTIONS
from emotion_perception.benchmark.report import add_section, as_markdown, read
from emotion_perception.benchmark.tables import Table, table_from, to_markdown
from emotion_perception.core.errors import ConfigurationError

ROWS = [["haar", 12.345, 1234, None], ["a|b", 0.5, 2, "5 %"]]
TABLE = Table("Detectors", ["name", "ms", "boxes", "share"], ROWS, "A note.")
MACHINE = {
    "processor": "a processor",
    "cores": 2,
    "python": "3.11.7",
    "ros": "jazzy",
    "packages": {"numpy": "2.0"},
    "commit": "abc1234",
    "date": "2026-11-25T21:00:00+00:00",
    "load_at_begin": 0.1,
}


def test_a_table_becomes_markdown():
    lines = to_markdown(TABLE).splitlines()
    assert lines[0] == "### Detectors"
    assert "A note." in lines
    assert lines[-2:] == ["| haar | 12.3 | 1,234 | – |", "| a\\|b | 0.50 | 2 | 5 % |"]


def test_a_table_survives_json():
    assert table_from(json.loads(json.dumps(TABLE.as_json()))) == TABLE


def test_a_section_replaces_itself_and_keeps_the_others(tmp_path):
    path = tmp_path / "bench.json"
    add_section(path, "detection", MACHINE, [TABLE])
    add_section(path, "scaling", MACHINE, [])
    content = add_section(path, "detection", {**MACHINE, "commit": "def5678"}, [TABLE])
    assert list(content) == ["detection", "scaling"]
    assert read(path) == json.loads(json.dumps(content))
    text = as_markdown(content)
    assert "## Detection" in text
    assert "commit def5678; 2 cores of a processor" in text


def test_a_file_that_is_not_json_is_refused(tmp_path):
    (tmp_path / "bench.json").write_text("{")
    with pytest.raises(ConfigurationError, match="not a bench.json"):
        add_section(tmp_path / "bench.json", "detection", MACHINE, [])


def test_sections_of_an_old_file_have_their_present_names(tmp_path):
    section = {"machine": MACHINE, "tables": [TABLE.as_json()]}
    (tmp_path / "bench.json").write_text(json.dumps({"photon": section, "backends": section}))
    content = read(tmp_path / "bench.json")
    assert list(content) == ["latency", "backends"]
    assert "## Latency\n\n`emotion-perception benchmark --only latency`" in as_markdown(content)


def test_the_committed_results_can_be_rendered():
    content = read(Path(__file__).parents[2] / "docs" / "benchmarks.json")
    assert list(content) == list(SECTIONS)
    assert as_markdown(content).count("\n## ") == len(SECTIONS) - 1
