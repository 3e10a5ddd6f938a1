# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The installed program with inputs as people have them: devices, names and paths."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from programs import installed_program, program

from emotion_perception.core.classification import LABELS

PROGRAM = Path(__file__).resolve().parents[1] / "scripts" / "emotion-perception"
TIMEOUT_S = 300


def one_refusal(*words):
    """Returns the only line of a command that fails."""
    code, error = program(*words)
    assert code == 1, error
    (line,) = error.splitlines()
    return line


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
    assert one_refusal(*words, "--device", "cuda:99").startswith("emotion-perception: device is 'cuda:99', but t")
    assert not (tmp_path / "out").exists()


@pytest.mark.guarantee(
    "Names and paths that are not UTF-8, and file:// URLs, can be given, printed and written to reports.",
    section="Programs",
)
def test_a_folder_whose_name_is_not_utf_8_is_evaluated_and_named_in_the_report(tmp_path, monkeypatch):
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
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code, error = installed_program("evaluate", "--model", "compact_vgg", "--data", url, "--out", out)
    assert code == 0, error
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
    line = one_refusal("evaluate", "--model", model, "--data", faces, "--out", tmp_path / "out")
    assert line.startswith(f"emotion-perception: {words}")


ROW = f"3,{' '.join(['7'] * 48**2)},Training\n"
HOLE = 1 << 40  # bytes


@pytest.mark.guarantee(
    "A line of a table is read up to a million characters, a recipe up to 16 MiB: a file with a hole fills no memory.",
    section="Programs",
)
@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("row.csv", "emotion,pixels,Usage\n" + ROW * 3, "line 5: not a table (more than 1,048,576 characters)"),
        ("header.csv", "emotion,pixels,Usage" + "," * 5000, "line 1: not a table (more than 1,048,576 characters)"),
        ("recipe.yaml", "architecture: compact_vgg # " + "x" * 5000, "larger than the limit of 16 MiB"),
    ],
)
def test_a_text_file_with_a_hole_of_a_terabyte_is_one_line(faces, tmp_path, name, text, words):
    path = tmp_path / name
    path.write_text(text)
    os.truncate(path, HOLE)
    out = ("--out", tmp_path / "out")
    if name == "recipe.yaml":
        pytest.importorskip("lightning", reason="the training extra is not installed")
        line = one_refusal("train", "--data", faces, "--config", path, *out)
    else:
        line = one_refusal("evaluate", "--model", "compact_vgg", "--data", path, *out)
    assert words in line
    assert name in line


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": np.arange(14) % 7 + 0j}, "labels are complex128 (14,), not whole numbers (N)"),
        ({"labels": np.full(14, 1e300)}, "labels are float64 (14,), not whole numbers (N)"),
        ({"labels": np.array([b"sad\xff"] * 14)}, "row 0 has sad\u00ff"),
        ({"labels": np.array(["happy" * 100_000] * 14)}, "row 0 has happyhappy"),
        ({"class_names": np.array([["sad"], ["happy"]])}, "class_names has the shape (2, 1), not (N)"),
        ({"ferplus_votes": np.full((14, 7), np.nan), "ferplus_names": LABELS}, "ferplus_votes are not counts"),
        ({"ferplus_votes": np.full((14, 7), -1), "ferplus_names": LABELS}, "ferplus_votes are not counts"),
    ],
    ids=["complex", "huge", "bytes", "long", "shape", "nan", "negative"],
)
def test_an_array_of_wrong_values_is_one_short_line(faces, tmp_path, changes, words):
    with np.load(faces) as file:
        arrays = {**file, **changes}
    np.savez(faces, **arrays)
    line = one_refusal("evaluate", "--model", "compact_vgg", "--data", faces, "--out", tmp_path / "out")
    assert words in line
    assert len(line) < 2000


def test_an_array_of_values_without_bytes_takes_no_memory(faces, tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|S0", "fortran_order": False, "shape": (10**11,)})
    with zipfile.ZipFile(faces, "a") as archive:
        archive.writestr("subject.npy", header.getvalue())
    line = one_refusal("evaluate", "--model", "compact_vgg", "--data", faces, "--out", tmp_path / "out")
    assert line.endswith("subject holds 100,000,000,000 values of no bytes")


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "fer2013.csv"
    path.write_text("emotion,Emotion,pixels,Usage\n4," + ROW)
    line = one_refusal("evaluate", "--model", "compact_vgg", "--data", path, "--out", tmp_path / "out")
    assert line.endswith("fer2013.csv: has the column emotion more than once")


@pytest.mark.parametrize(
    "closed", [*(pytest.param(one, marks=pytest.mark.slow) for one in ("<&-", ">&-", "2>&-")), "<&- >&- 2>&-"]
)
def test_a_program_works_with_closed_standard_streams(tmp_path, closed):
    command = f'"$0" "$1" models {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, PROGRAM], capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_an_image_file_with_a_hole_of_a_terabyte_is_left_out(tmp_path, monkeypatch, caplog):
    cv2 = pytest.importorskip("cv2")
    pytest.importorskip("sklearn", reason="the training extra is not installed")
    for number, label in enumerate(LABELS):
        folder = tmp_path / "images" / label
        folder.mkdir(parents=True)
        pixels = np.random.default_rng(number).integers(0, 256, (48, 48), dtype=np.uint8)
        (folder / "a.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    sparse = folder / "b.png"
    sparse.write_bytes((folder / "a.png").read_bytes())
    os.truncate(sparse, HOLE)
    options = ("--data-option", "max_bad=0.5", "--out", tmp_path / "out")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = ["evaluate", "--model", "compact_vgg", "--data", tmp_path / "images"]
    code, error = program(*words, *options)
    assert code == 0, error
    assert f"left out 1 x image file of more than 256 MiB ({label}/b.png)" in caplog.text
