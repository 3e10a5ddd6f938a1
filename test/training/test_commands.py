# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import re

import numpy as np
import pytest
from lightning.pytorch.callbacks import Callback

from emotion_perception import cli
from emotion_perception.training.fit import training_loop

TINY_RUN = [
    text
    for change in (
        "options={widths: [4, 8], dropout: 0.0}",
        "epochs=2",
        "warmup_epochs=1",
        "batch_size=16",
        "input_size=16",
        "sizes={}",
        "calibration_fraction=0.2",
    )
    for text in ("--set", change)
]


def test_training_exporting_and_measuring_from_the_command_line(write_npz, tmp_path, capsys):
    data, run, models = str(write_npz()), str(tmp_path / "run"), str(tmp_path / "models")
    assert cli.main(["train", "--data", data, "--out", run, "--device", "cpu", "--num-threads", "1", *TINY_RUN]) == 0
    assert f"export --run {run}" in capsys.readouterr().out
    assert cli.main(["export", "--run", run, "--name", "mine", "--out", models]) == 0
    assert "differ by at most" in capsys.readouterr().out
    model, report = f"{models}/mine.safetensors", str(tmp_path / "report")
    assert cli.main(["evaluate", "--model", model, "--data", data, "--split", "PublicTest", "--out", report]) == 0
    assert "30 images: accuracy" in capsys.readouterr().out
    assert cli.main(["calibrate", "--model", model, "--data", data, "--split", "PublicTest"]) == 0
    assert "temperature" in capsys.readouterr().out


def test_a_training_that_diverges_fails_with_one_line(write_npz, tmp_path, capsys):
    out, changes = str(tmp_path / "run"), ("learning_rate=100000", "warmup_epochs=0", "vote_weight=0")
    diverging = [text for change in changes for text in ("--set", change)]
    command = ["train", "--data", str(write_npz()), "--out", out, "--device", "cpu", "--precision", "32", *TINY_RUN]
    assert cli.main([*command, *diverging]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    line = r"emotion-perception: the loss of epoch \d is (nan|inf): the training has diverged; set a lower .*"
    assert re.fullmatch(line, last)


def test_ctrl_c_in_a_training_says_how_to_go_on(write_npz, tmp_path, capsys, monkeypatch):
    class Interrupt(Callback):
        def on_train_batch_start(self, *arguments):
            raise KeyboardInterrupt

    original = training_loop.build_trainer

    def interrupted(*arguments):
        trainer = original(*arguments)
        trainer.callbacks.append(Interrupt())
        return trainer

    monkeypatch.setattr(training_loop, "build_trainer", interrupted)
    data, out = str(write_npz()), str(tmp_path / "run")
    assert cli.main(["train", "--data", data, "--out", out, "--device", "cpu", *TINY_RUN]) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("emotion-perception: stopped; the same command without --no-resume resumes")


@pytest.mark.parametrize("arguments", [["--data", "absent.npz"], ["--data", "absent.csv", "--split", "PublicTest"]])
def test_a_missing_data_file_is_one_line(exported_model, tmp_path, capsys, arguments):
    model = str(exported_model.bundle.weights)
    assert cli.main(["evaluate", "--model", model, "--out", str(tmp_path / "out"), *arguments]) == 1
    assert capsys.readouterr().err == f"emotion-perception: {arguments[1]}: no such file or folder\n"


def test_several_classes_can_be_ignored_at_once(exported_model, write_npz, tmp_path, capsys):
    model, out = str(exported_model.bundle.weights), tmp_path / "out"
    command = ["evaluate", "--model", model, "--data", str(write_npz()), "--split", "PublicTest", "--out", str(out)]
    assert cli.main([*command, "--ignore-classes", "fear, disgust", "--ignore-classes", "Angry"]) == 0
    report = json.loads((out / "report.json").read_text())
    assert np.array(report["confusion"])[:3].sum() == 0
    assert report["ignored_classes"] == ["fear", "disgust", "Angry"]


def test_the_listing_names_every_network_with_its_size(capsys):
    assert cli.main(["models"]) == 0
    assert "2,060,583 parameters" in capsys.readouterr().out
    assert cli.main(["models", "--json"]) == 0
    networks = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)["networks"]}
    assert networks["compact_vgg"]["input"] == "48x48 gray"
