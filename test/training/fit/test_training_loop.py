# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from lightning.pytorch.callbacks import Callback
from open_sockets import sockets_of

from emotion_perception.core.errors import ConfigurationError, DatasetError, ModelBundleError
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.export.exporter import export
from emotion_perception.training.fit import hardware as hardware_module
from emotion_perception.training.fit import training_loop
from emotion_perception.training.fit.checkpoint_io import AtomicCheckpointIO
from emotion_perception.training.fit.data_splits import split_data, split_off
from emotion_perception.training.fit.hardware import Hardware
from emotion_perception.training.fit.lit_module import EmotionLitModule
from emotion_perception.training.fit.run_directory import exported_weights, load_run, network_weights, read_checkpoint
from emotion_perception.training.fit.training_loop import train
from emotion_perception.training.fit.weight_averaging import _averaging


def run(recipe, data, out, **options):
    return train(recipe, data, out, hardware=Hardware(device="cpu"), num_threads=1, **options)


def epochs_of(folder):
    with open(folder / "metrics.csv", newline="") as file:
        return [int(row["epoch"]) for row in csv.DictReader(file)]


class InterruptBefore(Callback):
    """Ctrl-C at the first batch of one epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.current_epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.fixture
def interrupt(monkeypatch):
    """Returns a function that makes the next runs stop before an epoch; None lets them finish."""
    original = training_loop.build_trainer

    def arrange(epoch):
        def with_interruption(*arguments):
            trainer = original(*arguments)
            if epoch is not None:
                trainer.callbacks.append(InterruptBefore(epoch))
            return trainer

        monkeypatch.setattr(training_loop, "build_trainer", with_interruption)

    return arrange


def test_a_run_leaves_checkpoints_a_table_and_its_description(finished_run):
    folder, data = finished_run
    assert {path.name for path in folder.iterdir()} == {
        ".emotion_perception.json",
        "best.ckpt",
        "last.ckpt",
        "metrics.csv",
        "run.json",
    }
    described = load_run(folder)
    assert (described.data, described.train_split, described.val_split) == (data, "Training", "PublicTest")
    assert described.num_train_images == len(
        split_data(load_dataset(data), described.recipe, "Training", "PublicTest").train
    )
    with open(folder / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert all(0 <= float(row["accuracy"]) <= 1 and float(row["train_loss"]) > 0 for row in rows)


def test_a_checkpoint_is_written_beside_the_last_one_and_renamed(tiny_recipe, tmp_path, monkeypatch):
    """With the temporary files on another file system, moving them would be copying."""
    (tmp_path / "last.ckpt").write_text("complete")
    written = []
    monkeypatch.setattr(
        torch, "save", lambda _, file: written.append((Path(file.name), (tmp_path / "last.ckpt").read_text()))
    )
    AtomicCheckpointIO().save_checkpoint({}, tmp_path / "last.ckpt")
    assert [(path.parent, text) for path, text in written] == [(tmp_path, "complete")]
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]
    trainer = hardware_module.build_trainer(tiny_recipe(), torch.nn.Linear(1, 1), tmp_path, Hardware(device="cpu"))
    assert isinstance(trainer.strategy.checkpoint_io, AtomicCheckpointIO)


def test_the_kept_weights_are_the_averaged_ones(finished_run):
    checkpoint = read_checkpoint(finished_run[0] / "last.ckpt")
    averaged = checkpoint["state_dict"]["network.head.weight"]
    current = checkpoint["current_model_state"]["network.head.weight"]
    assert not np.array_equal(averaged, current)
    assert network_weights(checkpoint)["head.weight"].tolist() == averaged.tolist()
    assert not [name for name in network_weights(checkpoint) if "aux" in name]


def draw_stripes(labels, rng):
    """Returns one image for each label: horizontal stripes, more of them the higher the label."""
    images = rng.integers(0, 60, (len(labels), 48, 48), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[np.arange(48) * (label + 1) // 24 % 2 == 1] += 150
    return images


def test_a_short_run_learns_to_tell_stripes_apart(write_npz, tiny_recipe, tmp_path):
    """Textures are what a small network with global pooling can learn.

    All of 16 runs, eight seeds in float32 and in bfloat16, end at 1.0; two classes taken for one cost 0.15, chance is
    0.14. So the bound of 0.8 depends on no processor's rounding.
    """
    changes = ("epochs=12", "input_size=24", "sizes={}", "options={widths: [8, 16], dropout: 0.0}")
    recipe = tiny_recipe(*changes, "augmentation={degrees: 1.0}")
    labels = np.arange(240) % 7
    run(recipe, write_npz(count=240, images=draw_stripes(labels, np.random.default_rng(0))), tmp_path / "run")
    with open(tmp_path / "run" / "metrics.csv", newline="") as file:
        accuracies = [float(row["accuracy"]) for row in csv.DictReader(file)]
    assert max(accuracies) > 0.8


def test_the_average_follows_at_once_and_slowly_later():
    average = _averaging(0.9)
    mean = torch.zeros(1)
    for step, expected in ((0, 0.9), (1, 1 - 0.1 * 2 / 11)):
        average([mean], [torch.ones(1)], torch.tensor(step))
        assert mean.item() == pytest.approx(expected)
    mean = torch.zeros(1)
    average([mean], [torch.ones(1)], torch.tensor(10_000))
    assert mean.item() == pytest.approx(0.1)


def test_a_run_that_was_stopped_goes_on_where_it_was(write_npz, tiny_recipe, tmp_path, interrupt):
    data, out = write_npz(), tmp_path / "run"
    interrupt(2)
    with pytest.raises(KeyboardInterrupt):
        run(tiny_recipe("epochs=3"), data, out)
    assert epochs_of(out) == [0, 1]
    started = json.loads((out / "run.json").read_text())["started"]
    interrupt(None)
    watch = Watch()
    run(tiny_recipe("epochs=3"), data, out, callbacks=(watch,))
    assert watch.seen == [2]
    assert epochs_of(out) == [0, 1, 2]
    assert json.loads((out / "run.json").read_text())["started"] == started


class Watch(Callback):
    """Notes the epochs that were begun."""

    def __init__(self):
        self.seen = []

    def on_train_epoch_start(self, trainer, pl_module):
        self.seen.append(trainer.current_epoch)


def give_accuracies(monkeypatch, *accuracies):
    """Makes the epochs of the next runs measure these accuracies."""

    def measure(self, batch, batch_idx):
        self.log("accuracy", accuracies[self.current_epoch], on_epoch=True)
        self.log("loss", 1.0, on_epoch=True)

    monkeypatch.setattr(EmotionLitModule, "validation_step", measure)


@pytest.mark.guarantee(
    "A training run that is moved or renamed while it is stopped keeps its best epoch when it is resumed.",
    section="Programs",
)
@pytest.mark.parametrize("copied", [False, True])
def test_a_run_that_was_moved_meanwhile_keeps_its_best_epoch(
    write_npz, tiny_recipe, tmp_path, interrupt, monkeypatch, copied
):
    data, recipe = write_npz(), tiny_recipe("epochs=4")
    give_accuracies(monkeypatch, 0.2, 0.6, 0.3, 0.4)
    interrupt(2)
    with pytest.raises(KeyboardInterrupt):
        run(recipe, data, tmp_path / "run")
    interrupt(None)
    shutil.copytree(tmp_path / "run", tmp_path / "moved")
    if not copied:
        shutil.rmtree(tmp_path / "run")
    run(recipe, data, tmp_path / "moved")
    best = read_checkpoint(tmp_path / "moved" / "best.ckpt")
    assert best["epoch"] == 1
    assert epochs_of(tmp_path / "moved") == [0, 1, 2, 3]
    assert (tmp_path / "run" / "best.ckpt").exists() == copied


def test_a_run_without_its_best_checkpoint_is_not_resumed(finished_run, tiny_recipe, tmp_path):
    shutil.copytree(finished_run[0], tmp_path / "run")
    (tmp_path / "run" / "best.ckpt").unlink()
    with pytest.raises(ConfigurationError, match="best.ckpt: missing, so the best epoch is lost: give another --out"):
        run(tiny_recipe(), finished_run[1], tmp_path / "run")


@pytest.mark.guarantee(
    "A training whose loss is not finite ends with one line, and its checkpoints stay those of the epochs before.",
    section="Programs",
)
def test_a_training_that_diverges_ends_with_one_line(write_npz, tiny_recipe, tmp_path, monkeypatch):
    step = EmotionLitModule.training_step
    monkeypatch.setattr(
        EmotionLitModule,
        "training_step",
        lambda self, *batch: step(self, *batch) * (float("nan") if self.current_epoch == 1 else 1),
    )
    with pytest.raises(ConfigurationError, match="the loss of epoch 2 is nan: the training has diverged; set a lower"):
        run(tiny_recipe("epochs=4"), write_npz(), tmp_path / "run")
    kept = [read_checkpoint(tmp_path / "run" / name)["epoch"] for name in ("best.ckpt", "last.ckpt")]
    assert (kept, epochs_of(tmp_path / "run")) == ([0, 0], [0])


def test_plain_sgd_without_momentum_trains(write_npz, tiny_recipe, tmp_path):
    run(tiny_recipe("momentum=0", "epochs=1"), write_npz(), tmp_path / "run")
    assert epochs_of(tmp_path / "run") == [0]


@pytest.mark.parametrize("balance", ["none", "sampler"])
def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(write_npz, tiny_recipe, tmp_path, interrupt, balance):
    data, recipe = write_npz(), tiny_recipe("epochs=3", "mixup=0.2", f"balance={balance}")
    run(recipe, data, tmp_path / "unbroken")
    interrupt(1)
    with pytest.raises(KeyboardInterrupt):
        run(recipe, data, tmp_path / "broken")
    interrupt(None)
    run(recipe, data, tmp_path / "broken")
    ends = [read_checkpoint(tmp_path / name / "last.ckpt") for name in ("unbroken", "broken")]
    for key in ("state_dict", "current_model_state"):
        assert all(torch.equal(ends[0][key][name], ends[1][key][name]) for name in ends[0][key])
    tables = [(tmp_path / name / "metrics.csv").read_text() for name in ("unbroken", "broken")]
    assert tables[0] == tables[1]


def test_the_same_seed_gives_the_same_run(finished_run, write_npz, tiny_recipe, tmp_path):
    run(tiny_recipe(), finished_run[1], tmp_path / "again")
    again, first = (network_weights(read_checkpoint(f / "last.ckpt")) for f in (tmp_path / "again", finished_run[0]))
    assert all(np.allclose(again[name], first[name], atol=1e-5) for name in first)


def test_a_run_of_another_recipe_is_not_mixed_in(finished_run, tiny_recipe):
    with pytest.raises(ConfigurationError, match="holds a run with another epochs, seed: .*--no-resume"):
        run(tiny_recipe("epochs=9", "seed=5"), finished_run[1], finished_run[0])


def test_a_damaged_checkpoint_is_refused_before_it_is_trained_on(finished_run, tiny_recipe, tmp_path):
    for name in ("last.ckpt", "run.json"):
        content = (finished_run[0] / name).read_bytes()
        (tmp_path / name).write_bytes(content[:1000] if name == "last.ckpt" else content)
    with pytest.raises(ModelBundleError, match="last.ckpt: not a readable checkpoint"):
        run(tiny_recipe(), finished_run[1], tmp_path)


def test_training_calibration_and_validation_images_never_overlap(write_npz, tiny_recipe):
    splits = split_data(load_dataset(write_npz()), tiny_recipe(), "Training", "PublicTest")
    rows = [
        {image.tobytes() for image in part.images} for part in (splits.train, splits.calibration, splits.validation)
    ]
    assert all(rows)
    assert sum(map(len, rows)) == len(set.union(*rows))
    assert not splits.train.leak.any()
    again = split_data(load_dataset(write_npz()), tiny_recipe(), "Training", "PublicTest")
    assert (again.calibration.images == splits.calibration.images).all()


def test_a_file_without_splits_is_divided_by_the_seed(write_npz, tiny_recipe):
    data = load_dataset(write_npz(split=None, split_names=None))
    splits = split_data(data, tiny_recipe(), "Training", "PublicTest")
    assert 0 < len(splits.validation) < len(splits.train)
    assert len(splits.validation) != len(split_data(data, tiny_recipe("seed=7"), "", "").validation)


def test_a_csv_can_be_trained_on(write_csv, write_npz, tiny_recipe, tmp_path):
    data = load_dataset(write_npz())
    rows = [
        (int(label), image, split) for label, image, split in zip(data.labels, data.images, data.splits, strict=True)
    ]
    path = run(tiny_recipe("epochs=1", "warmup_epochs=0"), write_csv(rows), tmp_path / "run")
    assert path.is_file()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"train_split": "Train"}, "no split 'Train'; the dataset has PublicTest, Training"),
        ({"val_split": "Test"}, "no split 'Test'"),
    ],
)
def test_an_unknown_split_is_refused(write_npz, tiny_recipe, tmp_path, options, words):
    with pytest.raises(DatasetError, match=words):
        run(tiny_recipe(), write_npz(), tmp_path / "run", **options)


def test_too_few_images_are_refused(write_npz, tiny_recipe, tmp_path):
    with pytest.raises(DatasetError, match="0 training and 30 validation images"):
        run(tiny_recipe(), write_npz(leak=np.ones(120, bool)), tmp_path / "run")


def test_weights_from_before_a_restart_are_averaged_with_the_last(write_npz, tiny_recipe, tmp_path):
    recipe = tiny_recipe("epochs=3", "restarts={2: {learning_rate: 0.05}}", "soup_weight=0.25")
    run(recipe, write_npz(), tmp_path / "run")
    before, last = (read_checkpoint(tmp_path / "run" / name) for name in ("before_restart.ckpt", "last.ckpt"))
    assert (before["epoch"], last["epoch"]) == (1, 2)
    weights, epoch = exported_weights(tmp_path / "run", recipe)
    ends = [network_weights(checkpoint)["head.weight"] for checkpoint in (before, last)]
    assert weights["head.weight"] == pytest.approx(0.25 * ends[0] + 0.75 * ends[1], abs=1e-6)
    assert epoch == 2
    best = read_checkpoint(tmp_path / "run" / "best.ckpt")
    plain, epoch = exported_weights(tmp_path / "run", tiny_recipe())
    assert np.array_equal(plain["head.weight"], network_weights(best)["head.weight"])
    assert epoch == best["epoch"]


@pytest.mark.parametrize("overrides", [("restarts={3: {}}", "early_stopping=1"), ("restarts={0: {}}",)])
def test_a_run_that_ends_before_its_restart_exports_its_best_epoch(
    write_npz, tiny_recipe, tmp_path, monkeypatch, overrides
):
    give_accuracies(monkeypatch, 0.5, 0.4, 0.3, 0.2)
    recipe = tiny_recipe("epochs=4", "soup_weight=0.25", *overrides)
    run(recipe, write_npz(), tmp_path / "run")
    assert exported_weights(tmp_path / "run", recipe)[1] == 0


@pytest.mark.parametrize(
    ("override", "epochs"),
    [("early_stopping=1", 2), ("early_stopping=0", 4)],
)
def test_a_run_that_no_longer_improves_is_stopped_early(
    write_npz, tiny_recipe, tmp_path, monkeypatch, override, epochs
):
    def constant(self, batch, batch_idx):
        """An accuracy that never improves, whatever a step changes."""
        self.log("accuracy", 0.5, on_epoch=True)
        self.log("loss", 1.0, on_epoch=True)

    monkeypatch.setattr(EmotionLitModule, "validation_step", constant)
    recipe = tiny_recipe("epochs=4", override)
    run(recipe, write_npz(), tmp_path / "run")
    assert len(epochs_of(tmp_path / "run")) == epochs


def test_grays_of_the_data_set_are_measured_and_kept(write_npz, tiny_recipe, tmp_path):
    data, recipe = write_npz(), tiny_recipe("epochs=1", "warmup_epochs=0", "normalization=dataset", "input_size=48")
    run(recipe, data, tmp_path / "run")
    found = load_run(tmp_path / "run").recipe
    images = np.stack(split_data(load_dataset(data), recipe, "Training", "PublicTest").train.images)
    assert found.pixel_mean == pytest.approx(images.mean(), abs=0.5)
    assert found.pixel_deviation == pytest.approx(images.std(), abs=0.5)
    run(recipe, data, tmp_path / "run")  # goes on: the measured grays are no other recipe


def test_without_a_validation_split_a_part_of_the_training_split_is_taken(write_npz, tiny_recipe):
    data = load_dataset(write_npz(leak=None))
    splits = split_data(data, tiny_recipe(), "Training", "")
    assert set(splits.validation.splits) == {"Training"}
    assert len(splits.train) + len(splits.calibration) + len(splits.validation) == len(data.split("Training"))


def test_a_file_with_subjects_is_divided_by_them(write_npz, tiny_recipe):
    subjects = np.array([f"S{k % 12:03d}" for k in range(120)])
    data = load_dataset(write_npz(split=None, split_names=None, subject=subjects))
    splits = split_data(data, tiny_recipe(), "", "")
    assert len(splits.validation)
    assert not set(splits.train.subjects) & set(splits.validation.subjects)


def test_dividing_by_people_makes_only_the_parts_that_are_used(write_npz, monkeypatch):
    subjects = np.array([f"S{k % 12:03d}" for k in range(120)])
    data = load_dataset(write_npz(split=None, split_names=None, subject=subjects))
    made, select = [], FaceDataset.select
    monkeypatch.setattr(FaceDataset, "select", lambda self, keep: made.append(select(self, keep)) or made[-1])
    assert list(split_off(data, 0.1, seed=0)) == made, "all folds would hold a large file ten times"


def test_depthwise_convolutions_are_not_computed_in_bfloat16_on_a_cpu(monkeypatch):
    monkeypatch.setattr(hardware_module, "_has_bfloat16", lambda cuda: True)
    depthwise = torch.nn.Conv2d(4, 4, 3, groups=4)
    found = [Hardware(device="cpu").lightning_precision(layer) for layer in (depthwise, torch.nn.Conv2d(4, 4, 3))]
    assert found == ["32-true", "bf16-mixed"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "cuda:99"}, "device is 'cuda:99', but t"),
        ({"device": "tpu"}, "device 'tpu' is none of auto, cpu, cuda"),
        ({"precision": "8"}, "precision '8' is none of"),
        ({"precision": "16"}, "precision 16 needs CUDA"),
        ({"devices": 1000}, "devices 1000: this machine has fewer"),
    ],
)
def test_hardware_that_is_absent_is_refused(monkeypatch, options, words):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigurationError, match=words):
        Hardware(**options)


def test_tensorboard_files_are_written_where_asked(write_npz, tiny_recipe, tmp_path):
    hardware = Hardware(device="cpu", tensorboard=True)
    train(tiny_recipe("epochs=1"), write_npz(), tmp_path / "run", hardware=hardware, num_threads=1)
    assert list((tmp_path / "run" / "tensorboard").glob("events.out.tfevents.*"))


@pytest.mark.slow
@pytest.mark.guarantee(
    "Processes of one machine that train a model open no socket that another machine can reach.", section="Programs"
)
def test_two_processes_of_one_machine_train_one_model_on_loopback(write_npz, tiny_recipe, tmp_path):
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tiny_recipe("epochs=200").as_dict()))
    command = [sys.executable, "-m", "emotion_perception.cli", "train", "--devices", "2", "--device", "cpu"]
    command += ["--config", tmp_path / "tiny.yaml", "--data", write_npz(), "--out", tmp_path / "run"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline_s = time.monotonic() + 120
        while not (tmp_path / "run" / "last.ckpt").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        assert {address for address, _ in sockets_of(process.pid)} <= {"127.0.0.1", "::1"}
    finally:
        process.terminate()
        process.wait(60)
    assert process.returncode == 130


@pytest.mark.slow
def test_two_processes_under_torchrun_train_one_model(write_npz, tiny_recipe, tmp_path):
    recipe, data = tiny_recipe(), write_npz()
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(recipe.as_dict()))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "emotion_perception.cli", "train", "--devices", "2", "--device", "cpu", "--num-threads", "1"]
    command += ["--config", str(tmp_path / "tiny.yaml"), "--data", str(data), "--out", str(tmp_path / "run")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert epochs_of(tmp_path / "run") == [0, 1]
    images = len(split_data(load_dataset(data), recipe, "Training", "PublicTest").train)
    steps = read_checkpoint(tmp_path / "run" / "last.ckpt")["global_step"]
    assert steps == recipe.epochs * (images // 2 // recipe.batch_size), "each took half of the images"


def test_a_run_names_its_teacher_by_hash(write_npz, tiny_recipe, exported_model, tmp_path):
    recipe = tiny_recipe(f"teacher={exported_model.bundle.weights}", "epochs=1")
    run(recipe, write_npz(), tmp_path / "run")
    assert load_run(tmp_path / "run").teacher_sha256 == exported_model.bundle.sha256


def test_unlabeled_images_are_trained_on_by_the_teachers_probabilities(
    write_npz, tiny_recipe, exported_model, tmp_path
):
    """The labels of the third split are all wrong, and two of its images are validation images."""
    arrays = dict(np.load(write_npz(count=160)))
    arrays["split"][130:] = 2
    arrays["split_names"] = np.array(["Training", "PublicTest", "Faces"])
    arrays["labels"][130:], arrays["leak"][130:] = 0, False
    arrays["images"][130:132] = arrays["images"][[125, 126]]
    data, teacher = write_npz(**arrays), exported_model.bundle
    views = ("teacher_weight=1", "teacher_views=true", "vote_weight=0", "sizes={}", "unlabeled_split=Faces")
    recipe = tiny_recipe(f"teacher=[{teacher.weights}, {teacher.weights}]", *views)
    splits = split_data(load_dataset(data), recipe, "Training", "PublicTest")
    assert len(splits.unlabeled) == 28
    run(recipe, data, tmp_path / "run")
    recorded = load_run(tmp_path / "run")
    assert recorded.teacher_sha256 == f"{teacher.sha256} {teacher.sha256}"
    steps = read_checkpoint(tmp_path / "run" / "last.ckpt")["global_step"]
    assert steps == recipe.epochs * ((len(splits.train) + 28) // recipe.batch_size)
    metadata = export(tmp_path / "run", "taught", tmp_path / "out").bundle.spec.metadata["data"]
    assert metadata["num_unlabeled_images"] == 28
    assert metadata["num_train_images"] == len(splits.train)
    with pytest.raises(ConfigurationError, match="a run with another teacher, unlabeled_split"):
        run(tiny_recipe(f"teacher={teacher.weights}", *views[:-1]), data, tmp_path / "run")


def test_an_unlabeled_split_that_there_is_not_is_named(write_npz, tiny_recipe, exported_model):
    views = ("teacher_weight=1", "teacher_views=true", "vote_weight=0", "unlabeled_split=Faces")
    recipe = tiny_recipe(f"teacher={exported_model.bundle.weights}", *views)
    with pytest.raises(DatasetError, match="no split 'Faces'; the dataset has PublicTest, Training"):
        split_data(load_dataset(write_npz()), recipe, "Training", "PublicTest")


@pytest.mark.parametrize("content", [None, "{"])
def test_a_run_whose_description_is_gone_is_named_with_the_way_out(finished_run, tiny_recipe, tmp_path, content):
    folder, data = finished_run
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "run.json").unlink()
    if content is not None:
        (tmp_path / "run" / "run.json").write_text(content)
    with pytest.raises(ModelBundleError, match=r"run.json: .*; --no-resume starts a new run"):
        run(tiny_recipe(), data, tmp_path / "run")


@pytest.mark.parametrize("length", [0, 4, 1000])
def test_a_broken_checkpoint_is_named_with_the_way_out(finished_run, tiny_recipe, tmp_path, length):
    folder, data = finished_run
    shutil.copytree(folder, tmp_path / "run")
    last = tmp_path / "run" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:length])
    with pytest.raises(
        ModelBundleError, match=r"last.ckpt: not a readable checkpoint \(.*\); --no-resume starts a new"
    ):
        run(tiny_recipe(), data, tmp_path / "run")
