# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the training commands refuse: one line that names the value or file, and nothing of the user's is replaced."""

import contextlib
import json
import os
import signal
import sqlite3
import zipfile

import numpy as np
import pytest
from lightning.pytorch.callbacks import Callback
from programs import refused

from emotion_perception import cli
from emotion_perception.core.classification import LABELS
from emotion_perception.training.datasets.decode import read_image
from emotion_perception.training.fit import training_loop
from emotion_perception.training.fit.checkpoint_io import AtomicCheckpointIO

SMALL = [
    text
    for change in ("epochs=2", "batch_size=16", "input_size=16", "calibration_fraction=0.2")
    for text in ("--set", change)
]


@pytest.fixture
def train(write_npz, tmp_path):
    device = ["--device", "cpu", "--num-threads", "1"]
    return ["train", "--data", write_npz(), "--config", "basic_cnn", *device, "--out", tmp_path / "run"]


@pytest.fixture
def with_callback(monkeypatch):
    """Adds a callback to the trainer."""

    def add(callback):
        original = training_loop.build_trainer

        def build(*arguments):
            trainer = original(*arguments)
            trainer.callbacks.insert(0, callback)
            return trainer

        monkeypatch.setattr(training_loop, "build_trainer", build)

    return add


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("learning_rate=1e308", "learning_rate 1e+308 is above 1000000"),
        ("label_smoothing=7", "label_smoothing 7.0 is above 0.99"),
        ("mixup=-1", "mixup -1.0 is below 0"),
        ("momentum=5", "momentum 5.0 is above 1"),
        ("weight_decay=-1", "weight_decay -1.0 is below 0"),
        ("warmup_epochs=-3", "warmup_epochs -3 is below 0"),
        ("early_stopping=-3", "early_stopping -3 is below 0"),
        ("epochs=99999999999999999999", "epochs 99999999999999999999 is above 1000000"),
        ("sizes={-1: 24}", "epoch -1 is below 0"),
        ("sizes={1: 100000}", "100000 from epoch 1 on is not a side in pixels"),
        ("input_size=3", "basic_cnn does not take images of 3x3 pixels"),
        ("sizes={1: 2}", "basic_cnn does not take images of 2x2 pixels"),
        ("options={num_classes: 3}", "num_classes is the number of labels"),
        ("augmentation={flip: maybe}", "augmentation: flip 'maybe' is not a number"),
        ("augmentation={flip: 3}", "augmentation: flip 3 is above 1"),
        ("augmentation={scars: -1}", "augmentation: scars -1 is below 0"),
        ("augmentation={degrees: .nan}", "augmentation: degrees nan is below 0"),
        ("augmentation={scale: [1, 2, 3]}", "scale [1, 2, 3] is not [smallest, largest]"),
        ("restarts={1: {augmentation: {blur: x}}}", "restart 1: augmentation: blur 'x' is not a number"),
        ("augmentation={flip: 0.5, flip: 0.1}", "the key flip occurs twice"),
        ("seed=0x" + "f" * 9000, "a number of 9002 digits"),
        ("architecture=" + "x" * 100_000, "no architecture 'xxx"),
    ],
)
def test_a_recipe_value_that_cannot_be_trained_with_is_named(train, change, part):
    assert len(refused([*train, *SMALL, "--set", change], part)) < 3000


@pytest.mark.parametrize("option", ["--train-split", "--val-split"])
def test_a_split_of_data_that_has_none_is_refused(train, write_npz, option):
    train[2] = write_npz(split=None, split_names=None)
    refused([*train, *SMALL, option, "Held out"], "no split 'Held out': the dataset has no splits")


@pytest.mark.parametrize("name", ["report.md", "report.json"])
def test_a_model_card_does_not_replace_the_report_beside_it(write_npz, tmp_path, name):
    out = tmp_path / "report"
    command = ["evaluate", "--model", "compact_vgg", "--data", write_npz(), "--out", out, "--card", out / name]
    refused(command, f"{out / name}: --card would replace the report: give another name")


@pytest.mark.parametrize(
    ("option", "part"),
    [
        (["--num-threads", "-1"], "num_threads -1 is not within 0..64"),
        (["--num-threads", "999999"], "num_threads 999999 is not within 0..64"),
        (["--devices", "0"], "devices 0 is below 1"),
        (["--num-nodes", "0"], "num_nodes 0 is below 1"),
        (["--num-nodes", "2"], "num_nodes 2: start it on each machine with torchrun"),
        (["--folds", "2", "--train-split", "Absent"], "no split 'Absent'; the dataset has"),
    ],
)
def test_a_number_of_threads_machines_or_folds_that_cannot_be_is_named(train, option, part):
    refused([*train, *SMALL, *option], part)


@pytest.mark.parametrize(
    ("option", "part"),
    [
        (["--seed", "-1"], "--seed -1 is not within 0..4294967295"),
        (["--seed", "99999999999"], "--seed 99999999999 is not within"),
        (["--timeout", "nan"], "--timeout nan is not a number of seconds"),
        (["--timeout", "-1"], "--timeout -1.0 is not a number of seconds"),
        (["--storage", "sqlite:///"], "--storage sqlite:///: names no file"),
        (["--study", ""], "--study '' is no name"),
    ],
)
def test_an_option_that_no_search_can_have_is_named(write_npz, tmp_path, option, part):
    refused(["search", "--data", write_npz(), "--device", "cpu", "--out", tmp_path / "out", *option], part)
    assert not (tmp_path / "out").exists()


@pytest.mark.guarantee("A search adds nothing to an SQLite file that holds something else.", section="Programs")
def test_a_database_of_something_else_is_left_alone(write_npz, tmp_path):
    path = tmp_path / "mine.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("create table studies (mine)")
        database.commit()
    before = path.read_bytes()
    command = ["search", "--data", write_npz(), "--device", "cpu", "--out", tmp_path / "out"]
    refused([*command, "--storage", f"sqlite:///{path}"], "mine.db: a database of something else (tables studies)")
    assert path.read_bytes() == before


def test_labels_that_the_data_does_not_have_are_told_with_what_to_do(train):
    line = refused([*train, *SMALL, "--set", "labels=[contempt, other]"], "the model has no label ")
    assert line.endswith("add it to the recipe's labels, or leave the images out with --set 'ignore_classes=[...]'")


@pytest.mark.guarantee(
    "A training that is stopped by Ctrl-C or SIGTERM ends with an exit code other than 0, and the next start resumes.",
    section="Programs",
)
def test_a_training_that_is_terminated_does_not_end_as_if_it_were_finished(train, with_callback, capsys):
    class Terminate(Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            if trainer.current_epoch == 0:
                os.kill(os.getpid(), signal.SIGTERM)

    with_callback(Terminate())
    command = [str(word) for word in (*train, *SMALL)]
    assert cli.main(command) == 130
    assert "stopped; the same command without --no-resume resumes" in capsys.readouterr().err
    assert cli.main(command) == 0
    assert "best epoch" in capsys.readouterr().out


@pytest.mark.guarantee(
    "A training whose output folder is replaced by a link meanwhile ends and writes nothing into the other folder.",
    section="Programs",
)
def test_a_run_does_not_write_into_a_folder_that_takes_the_place_of_its_own(train, with_callback, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "best.ckpt").write_text("somebody's")

    class Replace(Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            (tmp_path / "run").rename(tmp_path / "moved")
            (tmp_path / "run").symlink_to(other)

    with_callback(Replace())
    refused([*train, *SMALL], "run: was removed, moved or replaced while the run was writing there")
    assert {path.name: path.read_text() for path in other.iterdir()} == {"best.ckpt": "somebody's"}


def test_a_checkpoint_that_the_disk_has_no_room_for_is_named(tmp_path):
    with pytest.raises(OSError, match="No space left on device|File too large") as caught:
        _save_without_room(tmp_path / "last.ckpt")
    assert caught.value.filename == str(tmp_path / "last.ckpt")
    assert list(tmp_path.iterdir()) == []


def _save_without_room(path):
    resource = pytest.importorskip("resource", reason="no limits of processes on this system")
    torch = pytest.importorskip("torch")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        AtomicCheckpointIO().save_checkpoint({"weights": torch.zeros(1_000_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)


def test_a_model_in_the_folder_of_its_run_does_not_replace_files_of_the_run(train, tmp_path):
    assert cli.main([str(word) for word in (*train, *SMALL)]) == 0
    before = (tmp_path / "run" / "run.json").read_bytes()
    words = ["export", "--run", tmp_path / "run", "--name", "run", "--out", tmp_path / "run"]
    refused(words, "run.json: is read, but the results in", "would replace it")
    assert (tmp_path / "run" / "run.json").read_bytes() == before


@pytest.mark.parametrize("name", ["a\nb", "a\udcff"])
def test_the_name_of_a_model_is_printable(train, tmp_path, name):
    assert cli.main([str(word) for word in (*train, *SMALL, "--set", "epochs=1")]) == 0
    words = ["export", "--run", tmp_path / "run", "--name", name, "--out", tmp_path / "out"]
    refused(words, "the name of a model has printable letters of UTF-8 only")
    assert not (tmp_path / "out").exists()


def arrays(**changes):
    values = {
        "images": np.random.default_rng(0).integers(0, 256, (14, 48, 48), dtype=np.uint8),
        "labels": np.array(LABELS * 2),
        "class_names": np.array(LABELS),
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


CHIPS = {
    "images": None,
    "labels": None,
    "class_names": None,
    "jpeg": np.zeros(30, np.uint8),
    "offset": np.array([0, 10, 20, 30]),
    "gender": np.array([0, 1, 0]),
}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"images": np.uint8(3)}, "images are uint8 (), not uint8 (N, H, W[, 3])"),
        ({"subject": np.zeros((14, 2), "U3")}, "subject has the shape (14, 2) for 14 images"),
        ({"leak": np.full(14, 7)}, "leak is int64, not bool"),
        ({"ferplus_votes": np.ones((14, 10))}, "ferplus_votes have the shape (14, 10) for 0 names"),
        ({"ferplus_votes": np.ones((14, 10)), "ferplus_names": np.array(LABELS)}, "(14, 10) for 7 names"),
        ({**CHIPS, "age": np.array(["x"] * 3)}, "age is <U1, not numbers"),
        ({**CHIPS, "offset": np.array([30, 20, 10, 0])}, "offset does not ascend within 0..30"),
        ({**CHIPS, "offset": np.array([0, 10, 20, 40])}, "offset does not ascend within 0..30"),
        ({"class_names": np.array(["x" * 100_000] * 7)}, "'xxx"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else ",".join(value),
)
def test_an_array_of_another_shape_or_type_is_named(tmp_path, changes, part):
    np.savez(tmp_path / "data.npz", **arrays(**changes))
    words = ["evaluate", "--model", "compact_vgg", "--data", tmp_path / "data.npz", "--out", tmp_path / "out"]
    assert len(refused(words, "data.npz: ", part)) < 3000


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("images.npy", b"text", "images is not a"),
        ("labels.npy", b"\x93NUMPY\x01\x00\x30\x75" + b"(" * 30_000, "labels is not a readable array"),
    ],
)
def test_a_member_that_is_no_array_is_named_without_a_hint_to_run_its_code(tmp_path, name, content, part):
    np.savez(tmp_path / "data.npz", **arrays(**{name.removesuffix(".npy"): None}))
    with zipfile.ZipFile(tmp_path / "data.npz", "a") as file:
        file.writestr(name, content)
        file.writestr("readme.txt", "of no interest")
    words = ["evaluate", "--model", "compact_vgg", "--data", tmp_path / "data.npz", "--out", tmp_path / "out"]
    assert "pickle" not in refused(words, "data.npz: ", part)


def test_an_encrypted_archive_is_named(tmp_path):
    np.savez(tmp_path / "data.npz", **arrays())
    content = bytearray((tmp_path / "data.npz").read_bytes())
    for signature, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = content.find(signature)
        while place >= 0:
            content[place + flags] |= 1
            place = content.find(signature, place + 4)
    (tmp_path / "data.npz").write_bytes(content)
    words = ["evaluate", "--model", "compact_vgg", "--data", tmp_path / "data.npz", "--out", tmp_path / "out"]
    refused(words, "data.npz: not a readable .npz file", "is encrypted")


def test_a_file_beside_the_arrays_and_unknown_arrays_are_not_read(tmp_path, capsys):
    np.savez(tmp_path / "data.npz", **arrays(notes=np.array([{}], object)))
    with zipfile.ZipFile(tmp_path / "data.npz", "a") as file:
        file.writestr("readme.txt", "of no interest")
    words = ["evaluate", "--model", "compact_vgg", "--data", tmp_path / "data.npz", "--out", tmp_path / "out"]
    assert cli.main([str(word) for word in words]) == 0
    assert "14 images" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_a_deeply_nested_description_is_named(tmp_path, command):
    (tmp_path / "run.json").write_text("[" * 100_000)
    np.savez(tmp_path / "data.npz", **arrays())
    words = {
        "evaluate": ["--model", "compact_vgg", "--data", tmp_path / "data.npz", "--card", tmp_path / "card.md"],
        "export": ["--run", tmp_path, "--name", "mine"],
    }
    report = ["--report", tmp_path / "run.json"] if command == "evaluate" else []
    refused([command, *words[command], "--out", tmp_path / "out", *report], "run.json: not ")


def test_votes_that_no_number_can_hold_are_named(tmp_path):
    rows = "".join(f"{k},{' '.join(['7'] * 2304)},PublicTest\n" for k in range(7))
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + rows)
    votes = "".join(f"PublicTest,{'9' * 40},1\n" for _ in range(7))
    (tmp_path / "fer2013new.csv").write_text("Usage,happiness,neutral\n" + votes)
    words = ["evaluate", "--model", "compact_vgg", "--data", tmp_path / "fer2013.csv", "--out", tmp_path / "out"]
    refused([*words, "--split", "PublicTest"], "fer2013new.csv: line 2: votes for happiness '999", "up to 1,000,000")


def test_an_image_that_the_system_has_no_files_left_for_is_not_called_corrupt(tmp_path, monkeypatch):
    def exhausted(path):
        raise OSError(24, os.strerror(24), str(path))

    monkeypatch.setattr("emotion_perception.training.datasets.decode.open_regular", exhausted)
    with pytest.raises(OSError, match="Too many open files"):
        read_image(tmp_path / "a.png")


def test_folds_take_the_split_that_is_named(train, tmp_path):
    words = [*train, *SMALL, "--folds", "2", "--set", "epochs=1", "--train-split", "Training"]
    assert cli.main([str(word) for word in words]) == 0
    assert json.loads((tmp_path / "run" / "folds.json").read_text())["folds"]
