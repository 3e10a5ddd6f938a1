# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from emotion_perception import cli
from emotion_perception.training.evaluate import evaluator as evaluate_module
from emotion_perception.training.evaluate import report as report_module
from emotion_perception.training.evaluate import robustness


@pytest.fixture
def call(exported_model, write_npz, tmp_path, monkeypatch):
    """Returns a function that evaluates the tiny model and returns the exit code."""
    monkeypatch.setattr(evaluate_module, "_TIMED", 5)
    monkeypatch.setattr(robustness, "CHANGES", robustness.CHANGES[:1])
    names = ("reliability", "coverage", "robustness")
    monkeypatch.setattr(report_module, "draw_all", lambda report: {name: Figure((0.1, 0.1)) for name in names})
    model, data = str(exported_model.bundle.weights), str(write_npz())

    def run(*options, out="out"):
        command = ["evaluate", "--model", model, "--data", data, "--split", "PublicTest", "--out", str(tmp_path / out)]
        return cli.main([*command, *map(str, options)])

    return run


def read(path):
    return json.loads((path / "report.json").read_text())


def test_everything_can_be_asked_for_on_one_command_line(call, tmp_path, capsys):
    groups = tmp_path / "groups.csv"
    groups.write_text("index,half\n" + "".join(f"{k},{k % 2}\n" for k in range(120)))
    options = ("--robustness", "--examples", "--subgroups", groups, "--seed", 3, "--min-confidence", 0.7)
    assert call(*options, "--data-option", "max_bad=0.1", "--card", tmp_path / "CARD.md") == 0
    report = read(tmp_path / "out")
    assert (report["seed"], report["data_options"]) == (3, {"max_bad": "0.1"})
    assert report["coverage"]["rule"]["threshold"] == report["robustness"]["min_confidence"] == 0.7
    assert list(report["subgroups"]["columns"]) == ["half"]
    assert (tmp_path / "out" / "examples.png").is_file()
    assert (tmp_path / "CARD.md").read_text().startswith("# Model card: tiny")
    assert "30 images: accuracy" in capsys.readouterr().out


def test_the_card_takes_further_reports(call, tmp_path):
    assert call("--ignore-classes", "fear", out="first") == 0
    first = tmp_path / "first" / "report.json"
    assert call("--card", tmp_path / "CARD.md", "--report", first) == 0
    card = (tmp_path / "CARD.md").read_text()
    assert "| faces.npz PublicTest | whole | 30 |" in card
    assert "| faces.npz PublicTest without fear | whole |" in card


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--report", "x.json"], "--report names reports for the model card: give --card FILE, too"),
        (["--card", "c.md", "--report", "x.json"], "x.json: no such file"),
        (["--examples"], "--examples shows the changes of --robustness: give both"),
        (["--subgroups", "absent.csv"], "absent.csv: No such file"),
        (["--baseline-class", "neutral"], "--baseline-class and --baseline-files need --baseline-by subject"),
        (["--baseline-by", "subject"], "--baseline-by subject: the dataset has no subjects"),
        (["--baseline-by", "subject", "--robustness"], "it cannot be combined with --baseline-by"),
        (["--data-option", "color=1"], "data option 'color' is unknown"),
        (["--data-option", "color"], "--data-option color: write KEY=VALUE"),
        (["--min-confidence", "2"], "min_confidence 2.0 is above 1.0"),
    ],
)
def test_what_cannot_work_is_one_line_before_anything_is_measured(call, tmp_path, capsys, options, words):
    assert call(*options) == 1
    error = capsys.readouterr().err
    assert error.startswith("emotion-perception: ")
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_images_of_unknown_people_share_no_resting_image(call, write_npz, tmp_path, capsys):
    """All images but those of one known person have an empty subject, "nan" or None."""
    unknown = [("", "nan", "None", " ")[number % 4] for number in range(50)]
    data = write_npz("people.npz", count=120, subject=np.array(["ada"] * 70 + unknown))
    options = ("--model", "compact_vgg", "--data", data, "--split", "Training", "--baseline-by", "subject")
    assert call(*options) == 0
    assert "relative to rest (1 subjects)" in (told := capsys.readouterr().out)
    assert "(no interval)" in told
    report = (tmp_path / "out" / "report.md").read_text()
    assert "18 images of subjects without one are left out" in report, "the other two are at rest themselves"
    assert "(no interval)" in report
