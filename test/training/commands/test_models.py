# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import sys

import pytest

from emotion_perception import cli
from emotion_perception.core.classification.model_bundle import shipped_models

pytest.importorskip("torch", reason="torch is not installed: no network is listed")


@pytest.fixture
def listing(capsys):
    assert cli.main(["models", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_json_tells_all_of_each_network(listing):
    networks = {entry["system"]: entry for entry in listing["networks"]}
    assert sorted(networks) == ["A1", "A2", "B", "C", "D1", "D2", "E1", "E2", "ours"]
    assert networks["A1"].pop("source")
    assert networks["A1"] == {
        "name": "wide_cnn",
        "system": "A1",
        "parameters": 160_599_687,
        "keras_count": 160_603_655,
        "input": "640x490 gray",
    }


def test_the_shipped_models_are_listed_beside_them(listing):
    assert [model["name"] for model in listing["models"]] == list(shipped_models())


def test_the_table_has_a_row_for_each_network_with_columns_in_line(capsys):
    assert cli.main(["models"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if " gray " in line]
    assert len(rows) == 9
    assert len({row.index(" parameters") for row in rows}) == 1
    assert len({row.index(row.split(" gray ")[1].strip()) for row in rows}) == 1
    assert max(map(len, rows)) <= 160


def test_without_torch_it_says_what_to_install(capsys, monkeypatch):
    for module in [name for name in sys.modules if name.startswith("emotion_perception.training.architectures")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "emotion_perception.core.classification.networks", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert cli.main(["models"]) == 0
    assert "pip install emotion_perception[training]" in capsys.readouterr().out
