# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The configuration file and docs/parameters.md hold the defaults of ros/config.py."""

import dataclasses
from pathlib import Path

import pytest
import yaml
from file_loading import load_file

from emotion_perception.core.options import option_fields

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def writer():
    return load_file(ROOT / "scripts" / "write_parameters.py")


@pytest.mark.guarantee(
    "The configuration file and the parameter table are generated from the nodes' dataclasses.", section="Every node"
)
def test_the_files_are_what_the_script_writes(writer, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["write_parameters.py", "--check"])
    assert writer.main() == 0, capsys.readouterr().out


def test_the_configuration_file_holds_every_default_of_every_node(writer):
    sections = yaml.safe_load((ROOT / "config" / "emotion_perception.yaml").read_text(encoding="utf-8"))
    assert sections == {
        f"/**/{node}": {"ros__parameters": {field.name: in_yaml(field.default) for field in option_fields(config)}}
        for node, config in writer.NODE_CONFIGS.items()
    }


def in_yaml(default):
    return list(default) if isinstance(default, tuple) else default


def test_a_changed_default_is_noticed(writer, monkeypatch, capsys):
    @dataclasses.dataclass(frozen=True)
    class Changed(writer.NODE_CONFIGS["overlay_node"]):
        sync_queue_size: int = dataclasses.field(
            default=9, metadata=writer.NODE_CONFIGS["overlay_node"].__dataclass_fields__["sync_queue_size"].metadata
        )

    monkeypatch.setitem(writer.NODE_CONFIGS, "overlay_node", Changed)
    monkeypatch.setattr("sys.argv", ["write_parameters.py", "--check"])
    assert writer.main() == 1
    assert "differs from ros/config.py" in capsys.readouterr().out
