# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tests of what the scripts for developers may replace."""

import runpy
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


def run(monkeypatch, script, *arguments):
    """Runs a script in this process."""
    program = SCRIPTS / script
    monkeypatch.syspath_prepend(program.parent)
    monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
    runpy.run_path(str(program), run_name="__main__")


COMMANDS = [
    ("split_fer2013.py", ["--data", "in", "--out"]),
    ("make_gate_data.py", ["--faces", "in", "--out"]),
    ("make_overlay_animation.py", ["in", "--out"]),
    ("peers/measure_ours.py", ["--frames", ".", "--out"]),
]


@pytest.mark.guarantee(
    "Scripts for developers replace no file that they did not write, unless `--force` is given.", section="Programs"
)
@pytest.mark.parametrize(("script", "arguments"), COMMANDS, ids=[script for script, _ in COMMANDS])
def test_a_script_replaces_no_file_of_others(tmp_path, monkeypatch, capsys, script, arguments):
    pytest.importorskip("av", reason="make_overlay_animation.py needs it")
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine.json"
    mine.write_text('{"of": "somebody"}')
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, script, *arguments, mine)
    assert f"{mine}: exists, and " in capsys.readouterr().err
    assert mine.read_text() == '{"of": "somebody"}'


def test_an_output_that_is_the_input_is_refused_with_force_too(tmp_path, monkeypatch, capsys):
    data = tmp_path / "fer2013.npz"
    data.write_bytes(b"data")
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, "split_fer2013.py", "--data", data, "--out", data, "--force")
    assert "is read, so it cannot be written" in capsys.readouterr().err
    assert data.read_bytes() == b"data"


def test_frames_for_the_peers_remove_no_images_of_others(tmp_path, monkeypatch):
    photo = tmp_path / "holiday.png"
    photo.write_bytes(b"png")
    monkeypatch.setattr("emotion_perception.benchmark.scene.Scene", lambda: None)
    with pytest.raises(SystemExit, match=r"has files that are no frames, e\.g\. holiday\.png"):
        run(monkeypatch, "peers/export_frames.py", "--out", tmp_path)
    assert photo.read_bytes() == b"png"
