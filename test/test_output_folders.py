# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the installed programs do with folders and files that they did not write."""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import ANY

import numpy as np
import pytest
from bag_files import write_bag
from programs import installed_program, program, refused

from emotion_perception.bags.io.messages import NS
from emotion_perception.reporting.output_folder import MARKER, OutputFolder

pytest.importorskip("lightning", reason="the training extra is not installed: pip install emotion_perception[training]")

PACKAGE = Path(__file__).resolve().parents[1] / "emotion_perception"
TINY = ["options={widths: [4, 8], dropout: 0.0}", "epochs=2", "batch_size=16", "input_size=16", "sizes={}"]
TINY += ["calibration_fraction=0.2", "restarts={}", "soup_weight=0.0", "teacher=''"]
TRAIN = ["--device", "cpu", "--num-threads", "1", *(word for change in TINY for word in ("--set", change))]
COMMANDS = {  # each writes a folder and is refused before it reads anything
    "train": ["train", "--data", "none.npz", "--out", "OUT"],
    "train --no-resume": ["train", "--data", "none.npz", "--out", "OUT", "--no-resume"],
    "train --folds": ["train", "--data", "none.npz", "--folds", "3", "--out", "OUT"],
    "search": ["search", "--data", "none.npz", "--out", "OUT"],
    "evaluate": ["evaluate", "--model", "compact_vgg", "--data", "none.npz", "--out", "OUT"],
    "evaluate-bag": ["evaluate-bag", "none.mcap", "--out", "OUT"],
    "benchmark": ["benchmark", "--only", "scaling", "--out", "OUT"],
}


def content(folder):
    """Returns the content of each file in a folder and its subfolders."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def write_faces(path, *, seed=0, count=120):
    labels = (np.arange(count) % 7).astype(np.uint8)
    images = np.random.default_rng(seed).integers(0, 255, (count, 48, 48), np.uint8)
    splits = {"split": (np.arange(count) >= 90).astype(np.uint8), "split_names": np.array(["Training", "PublicTest"])}
    names = np.array(["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"])
    np.savez(path, images=images, labels=labels, class_names=names, **splits)
    return path


def record(path, seed=0):
    images = np.random.default_rng(seed).integers(0, 255, (3, 60, 80, 3), np.uint8)
    return write_bag(path, list(images), [k * NS // 10 for k in range(1, 4)])


@pytest.mark.guarantee(
    "A command that writes a folder is refused with one line where the folder has files that it did not write; nothing "
    "in it changes.",
    section="Programs",
)
@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_folder_of_somebody_else_is_left_as_it_is(tmp_path, name):
    out = tmp_path / "mine"
    (out / "bag").mkdir(parents=True)
    for file in ("metrics.csv", "best.ckpt", "last.ckpt", "run.json", "report.json", "bench.json", "bag/data.mcap"):
        (out / file).write_text("mine")
    before = content(out)
    words = [str(out) if word == "OUT" else word for word in COMMANDS[name]]
    refused(words, str(out), "did not write", "folder")
    assert content(out) == before


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a finished run and its data."""
    folder = tmp_path_factory.mktemp("trained")
    data = write_faces(folder / "faces.npz")
    code, error = program("train", "--data", data, "--out", folder / "run", *TRAIN)
    assert code == 0, error
    return folder / "run", data


@pytest.mark.guarantee(
    "`train` resumes a run only with the data, the split and the recipe that it began with; otherwise it ends with one "
    "line that says what differs.",
    section="Programs",
)
@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        (["--data", "OTHER"], "another data set"),
        (["--val-split", ""], "another validation split"),
        (["--train-split", "PublicTest", "--val-split", "Training"], "another training split, validation split"),
        (["--set", "learning_rate=0.01"], "another learning_rate"),
        (["--set", "seed=5"], "another seed"),
    ],
)
def test_a_run_goes_on_only_as_it_began(run, tmp_path, changes, difference):
    other = write_faces(tmp_path / "other.npz", seed=1)
    words = ["train", "--data", run[1], "--out", run[0], *TRAIN]
    before = content(run[0])
    changes = [str(other) if word == "OTHER" else word for word in changes]
    refused([*words, *changes], difference, "--no-resume")
    assert content(run[0]) == before


def test_a_run_goes_on_where_its_data_have_been_moved(run, tmp_path):
    folder = run[0]
    moved = shutil.copy(run[1], tmp_path / "moved.npz")
    weights = (folder / "last.ckpt").read_bytes()
    assert program("train", "--data", moved, "--out", folder, *TRAIN) == (0, ANY)
    assert json.loads((folder / "run.json").read_text())["data"] == str(moved)
    assert (folder / "last.ckpt").read_bytes() == weights


def test_a_run_of_an_earlier_version_goes_on_with_the_same_data(run, tmp_path):
    """It has neither a marker nor a hash of its data."""
    folder = run[0]
    (folder / MARKER).unlink()
    described = json.loads((folder / "run.json").read_text())
    del described["data_sha256"]
    described["data"] = str(run[1])
    (folder / "run.json").write_text(json.dumps(described))
    other = write_faces(tmp_path / "other.npz", count=150)
    refused(["train", "--data", other, "--out", folder, *TRAIN], "another data set")
    assert program("train", "--data", run[1], "--out", folder, *TRAIN) == (0, ANY)
    assert json.loads((folder / "run.json").read_text())["data_sha256"]
    assert (folder / MARKER).is_file()


def test_a_new_run_removes_only_files_of_the_old_one(run, tmp_path):
    folder, other = tmp_path / "run", write_faces(tmp_path / "other.npz", seed=1)
    shutil.copytree(run[0], folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "before_restart.ckpt.txt").write_text("mine")
    assert program("train", "--data", other, "--out", folder, "--no-resume", *TRAIN)[0] == 0
    assert (folder / "notes.txt").read_text() == (folder / "before_restart.ckpt.txt").read_text() == "mine"
    assert json.loads((folder / "run.json").read_text())["data"] == str(other)


def test_two_processes_do_not_train_in_one_folder(run, tmp_path):
    with OutputFolder(tmp_path / "run", "train", writes=["*"]):
        refused(["train", "--data", run[1], "--out", tmp_path / "run", *TRAIN], "another process", "is writing there")


@pytest.mark.parametrize("name", ["../mine", "folder/mine", "..", ""])
def test_the_name_of_an_exported_model_is_not_a_path(run, tmp_path, name):
    words = ["export", "--run", run[0], "--name", name, "--out", tmp_path / "models"]
    refused(words, f"'{name}': the name of a model is not a path")
    assert not (tmp_path / "models").exists()


def test_export_replaces_models_and_nothing_else(run, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    (models / "other.safetensors").write_text("mine")
    words = ["export", "--run", run[0], "--out", models, "--name"]
    refused([*words, "other"], str(models / "other.safetensors"), "not written by 'export'")
    assert program(*words, "tiny")[0] == program(*words, "tiny")[0] == 0
    (models / MARKER).unlink()  # a model that an earlier version exported
    assert program(*words, "tiny")[0] == 0
    assert (models / "other.safetensors").read_text() == "mine"


@pytest.fixture
def bag(tmp_path):
    return record(tmp_path / "recorded")


@pytest.mark.guarantee(
    "No command replaces a file that it reads: `evaluate-bag OUT/bag --out OUT --write-bag` is refused.",
    section="Programs",
)
def test_a_recording_is_not_replaced_by_its_own_evaluation(bag, tmp_path):
    out = tmp_path / "out"
    assert program("evaluate-bag", bag, "--out", out, "--write-bag")[0] == 0
    before = content(out)
    words = ["evaluate-bag", out / "bag", "--out", out, "--write-bag"]
    refused(words, str(out / "bag"), "is read", "another folder", run=installed_program)
    (tmp_path / "link").symlink_to(out / "bag")
    refused(["evaluate-bag", tmp_path / "link", "--out", out, "--write-bag"], "is read")
    refused(["evaluate-bag", out, "--out", out, "--write-bag"], "is read")
    assert content(out) == before
    assert program("evaluate-bag", out / "bag", "--out", out)[0] == 0
    assert content(out / "bag") == {name.removeprefix("bag/"): text for name, text in before.items() if "bag/" in name}


def test_a_recording_that_somebody_put_among_the_results_is_kept(bag, tmp_path):
    out = tmp_path / "out"
    assert program("evaluate-bag", bag, "--out", out)[0] == 0
    shutil.copytree(bag, out / "bag")
    before = content(out)
    refused(["evaluate-bag", bag, "--out", out, "--write-bag"], str(out / "bag"), "not written by 'evaluate-bag'")
    assert content(out) == before


def test_results_of_several_recordings_are_replaced_each_in_its_folder(tmp_path):
    bags, out = tmp_path / "bags", tmp_path / "out"
    bags.mkdir()
    record(bags / "a"), record(bags / "b", seed=1)
    for _ in range(2):
        code, error = program("evaluate-bag", bags, "--out", out)
        assert code == 0, error
        assert {"a", "b", "report.json"} <= {path.name for path in out.iterdir()}
        assert (out / "a/report.json").is_file()
    shutil.rmtree(out / "b")
    record(out / "b")
    kept = content(out / "b")
    refused(["evaluate-bag", bags, "--out", out], str(out / "b"), "did not write")
    assert content(out / "b") == kept


@pytest.mark.slow
@pytest.mark.guarantee(
    "Results appear under their names when they are complete; a command that is killed leaves the earlier ones.",
    section="Programs",
)
def test_an_interrupted_evaluation_leaves_no_half_file(tmp_path):
    bag = write_bag(tmp_path / "long", [np.zeros((480, 640, 3), np.uint8)] * 300, [k * NS // 30 for k in range(1, 301)])
    script = "import sys; from emotion_perception.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "evaluate-bag", str(bag), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not list((tmp_path / "out").glob("*/frames.csv")):
            time.sleep(0.01)
        process.kill()
    assert [path for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")] == []
    assert program("evaluate-bag", bag, "--out", tmp_path / "out")[0] == 0
    assert not list((tmp_path / "out").glob(".*part*"))


@pytest.mark.parametrize(
    ("out", "words"),
    [("BAG/metadata.yaml", "is read"), ("BAG", "is a folder"), ("labels.html", "the CSV file"), (".", "is a folder")],
)
def test_label_bag_does_not_replace_what_it_reads(bag, tmp_path, monkeypatch, out, words):
    monkeypatch.chdir(tmp_path)
    before = content(bag)
    out = out.replace("BAG", str(bag))
    refused(["label-bag", bag, "--out", out, "--force"], words)
    assert content(bag) == before


def test_label_bag_keeps_the_page_of_somebody_else(bag, tmp_path):
    (tmp_path / "labels.html").write_text("mine")
    refused(["label-bag", bag, "--out", tmp_path / "labels.csv"], str(tmp_path / "labels.html"), "--force")
    assert (tmp_path / "labels.html").read_text() == "mine"


@pytest.mark.parametrize("existing", ["mine", ""])
def test_a_model_card_replaces_only_a_model_card(run, tmp_path, existing):
    card = tmp_path / "card.md"
    card.write_text(existing)
    words = ["evaluate", "--model", "compact_vgg", "--data", run[1], "--out", tmp_path / "out", "--card"]
    refused([*words, card], str(card), "did not write it")
    refused([*words, run[1]], str(run[1]), "is read")
    assert card.read_text() == existing


def test_a_shipped_model_is_not_calibrated_in_place(run):
    refused(["calibrate", "--model", "compact_vgg", "--data", run[1]], "compact_vgg", "copy")


@pytest.mark.guarantee("`make demo OUT=FOLDER` is refused where FOLDER has other files.", section="Programs")
def test_a_demonstration_does_not_write_into_a_folder_of_somebody_else(tmp_path):
    pytest.importorskip("rclpy", reason="ROS is not installed")
    (tmp_path / "summary.json").write_text("mine")
    command = [sys.executable, "-m", "emotion_perception.ros.demo", "--source", "synthetic", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 1
    assert f"demo: {tmp_path}: has files that 'demo' did not write, e.g. summary.json" in done.stderr
    assert content(tmp_path) == {"summary.json": b"mine"}


WRITERS = {  # files of the package that write or remove without OutputFolder and atomic_files, and why that is safe
    "annotate/outputs.py": "into the folder of OutputFolder.replaced, or to the new file of atomic_files",
    "annotate/tables.py": "to the new file of atomic_files",
    "bags/evaluation.py": "into the folder of OutputFolder.replaced",
    "bags/io/limits.py": "new files in a temporary folder",
    "bags/report/report.py": "into the folder of OutputFolder.replaced",
    "bags/scoring/tables.py": "into the folder of OutputFolder.replaced",
    "benchmark/nodes.py": "in the work folder that the benchmark owns",
    "benchmark/recordings.py": "in the work folder that the benchmark owns",
    "cli.py": "to the null device, for a standard stream that is closed",
    "core/atomic_files.py": "it is the one way",
    "fetch.py": "to a new file with a random name, which is renamed",
    "reporting/output_folder.py": "it is the one way",
    "ros/demo/demo_recorder.py": "into the folder of OutputFolder.replaced",
    "ros/demo/shared_memory.py": "shared memory of processes that it started",
    "ros/transport/shared_memory_ports.py": "ports in shared memory whose process was killed",
    "training/datasets/cache.py": "in its cache, and not through links",
    "training/evaluate/report.py": "into the folder of OutputFolder.replaced",
    "training/export/exporter.py": "into the folder of OutputFolder.replaced",
    "training/export/model_folder.py": "into the folder of OutputFolder.replaced",
    "training/export/quantization.py": "in the folder of OutputFolder.replaced",
    "training/fit/checkpoint_io.py": "to the new file of atomic_files",
    "training/fit/distillation.py": "to the new file of atomic_files",
    "training/search/search_report.py": "checkpoints of trials, in the folder that the search owns",
}
WRITING = (
    r"write_text\(|write_bytes\(|rmtree\(|unlink\(|imwrite\(|\bopen\([^)]*[\"'][wax]b?[\"']|os\.replace\(|\.rename\("
)


def test_every_file_of_the_package_that_writes_is_known_here():
    texts = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert {name for name, text in texts.items() if re.search(WRITING, text)} == set(WRITERS)
