# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The installed program with inputs as people have them: devices, names and paths."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emotion_perception.core.classification import LABELS

PROGRAM = Path(__file__).resolve().parents[1] / "scripts" / "emotion-perception"
TIMEOUT_S = 300


def run(*arguments, **variables):
    return subprocess.run(
        [sys.executable, PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=TIMEOUT_S,
    )


@pytest.fixture
def faces(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "my faces.npz"
    images = rng.integers(0, 256, (14, 48, 48), dtype=np.uint8)
    np.savez(path, images=images, labels=np.array(LABELS * 2), class_names=np.array(LABELS))
    return path


@pytest.mark.guarantee(
    "A GPU that is named (cuda, cuda:N) and cannot be used is an error of every command and node; auto takes the CPU.",
    section="Programs",
)
@pytest.mark.parametrize(
    "command",
    [
        ("train", "--data", "{faces}", "--out", "{out}"),
        ("search", "--data", "{faces}", "--out", "{out}"),
        ("evaluate", "--model", "compact_vgg", "--data", "{faces}", "--out", "{out}"),
        ("evaluate-bag", "{bag}", "--out", "{out}"),
        ("label-bag", "{bag}", "--out", "{out}.csv"),
    ],
    ids=lambda command: command[0],
)
def test_a_gpu_that_is_not_there_is_refused_by_every_command(faces, tmp_path, command):
    if command[0] in ("train", "search"):
        pytest.importorskip("lightning", reason="the training extra is not installed")
    bag = tmp_path / "bag"
    bag.mkdir()
    words = [word.format(faces=faces, bag=bag, out=tmp_path / "out") for word in command]
    done = run(*words, "--device", "cuda:99")
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("emotion-perception: device is 'cuda:99', but t")
    assert not (tmp_path / "out").exists()


@pytest.mark.guarantee(
    "Names and paths that are not UTF-8, and file:// URLs, can be given, printed and written to reports.",
    section="Programs",
)
def test_a_folder_whose_name_is_not_utf_8_is_evaluated_and_named_in_the_report(tmp_path):
    cv2 = pytest.importorskip("cv2")
    pytest.importorskip("sklearn", reason="the training extra is not installed")
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/visages fran\xe7ais"))
    for number, label in enumerate(LABELS):
        (folder / f"{number}_{label}").mkdir(parents=True)
        pixels = np.random.default_rng(number).integers(0, 256, (48, 48), dtype=np.uint8)
        png = cv2.imencode(".png", pixels)[1].tobytes()
        (folder / f"{number}_{label}" / os.fsdecode(b"\xe9t\xe9.PNG")).write_bytes(png)
    url = f"file://{tmp_path}/visages%20fran%E7ais"
    out = tmp_path / "out"
    done = run(
        "evaluate", "--model", "compact_vgg", "--data", url, "--out", out, XDG_CACHE_HOME=str(tmp_path / "cache")
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "report.json").read_text())["data"] == "visages fran\u00e7ais"
    assert "visages fran\u00e7ais" in (out / "report.html").read_text(encoding="utf-8")
    assert (out / "confusion.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("nosuch.onnx", "nosuch.onnx: no such file"),
        ("file:///nosuch/my%20model.safetensors", "/nosuch/my model.safetensors: no such file"),
        ("", "no model ''; shipped: "),
    ],
)
def test_a_model_that_is_not_there_is_named_as_it_was_given(faces, tmp_path, model, words):
    done = run("evaluate", "--model", model, "--data", faces, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.startswith(f"emotion-perception: {words}")
    assert done.stderr.count("\n") == 1
