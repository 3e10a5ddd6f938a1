# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""docs/guarantees.md is generated from the markers on the tests, and a wrong marker is an error."""

from pathlib import Path

import pytest
from file_loading import load_file

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def writer():
    return load_file(ROOT / "scripts" / "write_guarantees.py")


def write_test(writer, monkeypatch, folder, decorators):
    monkeypatch.setattr(writer, "ROOT", folder)
    (folder / "test_one.py").write_text(
        f"import pytest\n\n\n{decorators}\ndef test_one():\n    pass\n", encoding="utf-8"
    )


def test_the_document_is_what_the_markers_say(writer, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["write_guarantees.py", "--check"])
    assert writer.main() == 0, capsys.readouterr().err


def test_a_changed_document_is_noticed(writer, monkeypatch, tmp_path, capsys):
    changed = tmp_path / "guarantees.md"
    changed.write_text(writer.document(writer.marked_tests(ROOT / "test")) + "* one more\n", encoding="utf-8")
    monkeypatch.setattr(writer, "ROOT", tmp_path)
    monkeypatch.setattr(writer, "DOCUMENT", changed)
    monkeypatch.setattr("sys.argv", ["write_guarantees.py", "--check"])
    assert writer.main() == 1
    assert "run scripts/write_guarantees.py" in capsys.readouterr().err


def test_a_test_with_two_markers_stands_in_both_sections(writer, monkeypatch, tmp_path):
    first, second = (f'@pytest.mark.guarantee("It holds.", section="{section}")' for section in writer.SECTIONS[:2])
    write_test(writer, monkeypatch, tmp_path, f"{first}\n{second}")
    text = writer.document(writer.marked_tests(tmp_path))
    assert text.count("* It holds.\n    * [`test_one`](../test_one.py)\n") == 2


@pytest.mark.parametrize("arguments", ['"It holds."', '"It holds.", section="Nowhere"', 'section="Camera node"'])
def test_a_marker_without_sentence_or_known_section_is_refused(writer, monkeypatch, tmp_path, arguments):
    write_test(writer, monkeypatch, tmp_path, f"@pytest.mark.guarantee({arguments})")
    with pytest.raises(ValueError, match="test_one: guarantee\\(\\) needs one sentence"):
        writer.marked_tests(tmp_path)
