# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import re

import pytest

from emotion_perception.core.classification.model_bundle import ModelBundle
from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.errors import DatasetError
from emotion_perception.training.export.model_card import as_card, read_report, write_card

METADATA = {
    "parameters": 2060583,
    "intended_use": "Names an expression.",
    "terms": "Research use only.",
    "data": {"file": "fer.npz", "train_split": "Training"},
    "command": "emotion-perception export --run run",
    "exported": "2026-01-01T00:00:00+00:00",
    "package_version": "0.1.0",
    "recipe": {"epochs": 60, "augmentation": {"flip": 0.5}},
}
STEP = {"severity": 24, "accuracy": 0.432, "abstention": 0.234}
ROBUSTNESS = {
    "min_confidence": 0.5,
    "unchanged": {"accuracy": 0.7, "abstention": 0.1},
    "changes": {"small_face": {"severity": "side, pixels", "steps": [STEP]}},
}
GROUPS = {
    "file": "groups.csv",
    "sha256": "e" * 64,
    "columns": {"tone": {"groups": {"dark": {"n": 12}}, "without_group": 0, "largest_gap": {"accuracy": None}}},
}


@pytest.fixture
def bundle(tmp_path):
    def make(metadata):
        spec = ModelSpec(architecture="compact_vgg", metadata=metadata)
        return ModelBundle("tiny", spec, tmp_path / "tiny.safetensors", "a" * 64, None)

    return make


def section(card, title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", card, re.MULTILINE | re.DOTALL).group(1)


def test_the_card_tells_what_a_reader_has_to_know(bundle, make_report, tmp_path):
    report = make_report(robustness=ROBUSTNESS, subgroups=GROUPS)
    write_card(bundle(METADATA), [report], tmp_path / "new" / "CARD.md")
    card = (tmp_path / "new" / "CARD.md").read_text()
    assert "2,060,583 parameters" in card
    assert "Names an expression." in section(card, "Intended use")
    assert "train split: Training" in section(card, "Data and its terms")
    assert "Research use only." in section(card, "Data and its terms")
    assert f"| faces.npz PublicTest | whole | 100 | {report['accuracy']:.1%} |" in section(card, "Metrics")
    assert f"| {report['calibration']['ece_before']:.1%} |" in section(card, "Calibration")
    assert "| small face | 24 (side, pixels) | 43.2% | 23.4% |" in section(card, "Robustness")
    assert "| dark | 12 | too few | too few |" in section(card, "Subgroups")
    assert "not what the person felt" in section(card, "Limitations")
    reproduce = section(card, "How to reproduce")
    assert all(text in reproduce for text in ("export --run run", "emotion-perception evaluate", "d" * 64))
    assert 'augmentation: {"flip": 0.5}' in reproduce


def test_each_report_has_its_rows_and_a_shared_limitation_stands_once(bundle, make_report):
    reports = [make_report(robustness=ROBUSTNESS), make_report(data="ckplus.npz", split=None, ignored_classes=["fear"])]
    card = as_card(bundle(METADATA), reports)
    assert card.count("| ckplus.npz without fear | whole |") == 1
    assert card.count("not what the person felt") == 1
    assert "- ckplus.npz without fear: Covered, blurred" in section(card, "Limitations")
    assert section(card, "Robustness").count("### ") == 1
    assert "Not measured: subgroups of people may not be" in section(card, "Subgroups")


def test_what_a_description_does_not_record_is_said(bundle, make_report):
    card = as_card(bundle({}), [make_report()])
    assert section(card, "Intended use").strip() == "Not recorded in the model's description."
    assert "Terms: not recorded" in card
    assert "Not measured." in section(card, "Robustness")


def test_the_tables_have_as_many_cells_as_their_heads(bundle, make_report):
    head = None
    for line in as_card(bundle(METADATA), [make_report(robustness=ROBUSTNESS, subgroups=GROUPS)]).splitlines():
        cells = line.count("|") if line.startswith("|") else None
        assert cells is None or head is None or cells == head, line
        head = cells


def test_a_report_of_the_model_is_read_as_it_was_written(bundle, make_report, tmp_path):
    report = json.loads(json.dumps(make_report()))
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert read_report(tmp_path / "report.json", bundle({})) == report


def test_a_report_of_an_earlier_version_is_read(bundle, make_report, tmp_path):
    report = json.loads(json.dumps(make_report()))
    earlier = {**report, "groups": report["subgroups"], "limits": report["limitations"]}
    del earlier["subgroups"], earlier["limitations"]
    (tmp_path / "report.json").write_text(json.dumps(earlier))
    assert read_report(tmp_path / "report.json", bundle({})) == report


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "report.json: no such file"),
        ("{", "report.json: not JSON"),
        ("[]", "report.json: not a complete report.json; evaluate the model again"),
        ('{"accuracy": 1}', "report.json: not a complete report.json; evaluate the model again"),
        ({"calibration": None}, "report.json: not a complete report.json ("),
        ({"coverage": None}, "report.json: not a complete report.json ("),
        ({"per_class": [1]}, "report.json: not a complete report.json ("),
        ({"split": ["PublicTest"]}, "report.json: not a complete report.json ("),
        ({"limitations": 3}, "report.json: not a complete report.json ("),
        ({"accuracy": float("nan")}, "report.json: not JSON (NaN is not a number)"),
        ({"model_sha256": "b" * 64}, "report.json: evaluates the model bbbbbbbbbbbb..., not tiny, aaaaaaaaaaaa..."),
    ],
)
def test_a_file_that_is_no_report_of_the_model_is_refused(bundle, make_report, tmp_path, content, words):
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(json.dumps({**make_report(), **content}) if isinstance(content, dict) else content)
    with pytest.raises(DatasetError) as raised:
        read_report(path, bundle({}))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
