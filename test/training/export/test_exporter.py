# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import re
import shutil

import numpy as np
import pytest
import torch

from emotion_perception import cli
from emotion_perception.core.classification.classifier import create_classifier
from emotion_perception.core.classification.model_bundle import load_model_bundle, read_weights
from emotion_perception.core.classification.networks import build_network
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.classification.preprocessing import to_batch
from emotion_perception.core.errors import ConfigurationError, DatasetError, ModelBundleError, ModelFileError
from emotion_perception.training.datasets import load_dataset
from emotion_perception.training.export import export_formats
from emotion_perception.training.export import exporter as export_module
from emotion_perception.training.export.export_formats import PARITY, to_onnx
from emotion_perception.training.export.exporter import export
from emotion_perception.training.fit.data_splits import split_data
from emotion_perception.training.fit.run_directory import load_run, network_weights, read_checkpoint

CROPS = list(np.random.default_rng(0).integers(0, 256, (6, 48, 48), dtype=np.uint8))


def test_an_export_is_a_model_that_the_nodes_open(exported_model):
    bundle = exported_model.bundle
    assert bundle == load_model_bundle(bundle.weights)
    assert {path.name for path in bundle.weights.parent.glob("[!.]*")} == {
        "tiny.safetensors",
        "tiny.json",
        "tiny.onnx",
    }
    classifier = create_classifier(ClassifierOptions(model=str(bundle.weights), device="cpu"))
    classifier.warm_up()
    assert classifier.classify(CROPS).sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_torch_and_onnxruntime_agree_for_any_batch(exported_model):
    bundle = exported_model.bundle
    network = build_network(bundle.spec, read_weights(bundle))
    classifier = create_classifier(ClassifierOptions(model=str(bundle.weights), device="cpu"))
    assert exported_model.parity < PARITY == 1e-4
    for count in (1, 2, 6):
        with torch.inference_mode():
            expected = network(torch.from_numpy(to_batch(CROPS[:count], bundle.spec))).numpy()
        assert classifier.logits(CROPS[:count]) == pytest.approx(expected, abs=1e-4)


def test_the_exported_weights_are_those_of_the_best_epoch_without_the_second_head(exported_model, finished_run):
    best = network_weights(read_checkpoint(finished_run[0] / "best.ckpt"))
    exported = read_weights(exported_model.bundle)
    assert exported.keys() == best.keys()
    assert all(np.allclose(exported[name], best[name], rtol=1e-3, atol=1e-4) for name in best)


def test_the_description_says_what_the_model_was_made_from(exported_model, finished_run):
    metadata = exported_model.bundle.spec.metadata
    run = load_run(finished_run[0])
    assert metadata["data"]["file"] == "faces.npz"
    assert metadata["data"]["num_train_images"] == run.num_train_images
    assert metadata["data"]["epoch_selected_on"] == "PublicTest"
    assert metadata["parameters"] == 1_155
    assert metadata["measured"]["n"] == 30
    assert metadata["measured"]["split"] == "PublicTest"
    assert {"terms", "intended_use", "command", "exported", "recipe", "weights", "onnx"} <= metadata.keys()


def test_a_finished_model_is_exported_again_without_the_average_over_the_mirror_image(
    exported_model, finished_run, tmp_path, capsys
):
    both = exported_model.bundle
    assert both.spec.mirror_average
    command = ["export", "--model", str(both.weights), "--data", str(finished_run[1]), "--out", str(tmp_path)]
    assert cli.main([*command, "--name", "one", "--no-mirror-average", "--int8"]) == 0
    assert "one.int8.onnx: accuracy" in capsys.readouterr().out
    one = load_model_bundle(tmp_path / "one.json")
    assert one.sha256 == both.sha256
    assert not one.spec.mirror_average
    assert not load_model_bundle(tmp_path / "one.int8.json").spec.mirror_average
    assert one.spec.metadata["data"] == both.spec.metadata["data"]
    assert one.spec.metadata["measured"]["split"] == "PublicTest"
    mirrored = [np.ascontiguousarray(crop[:, ::-1]) for crop in CROPS]
    first, second, mean = (
        create_classifier(ClassifierOptions(model=str(path), device="cpu")).logits(images)
        for path, images in ((one.weights, CROPS), (one.weights, mirrored), (both.weights, CROPS))
    )
    np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-4)


def test_a_model_that_is_exported_again_needs_its_dataset(exported_model, write_npz, tmp_path, capsys):
    command = ["export", "--model", str(exported_model.bundle.weights), "--name", "one", "--out", str(tmp_path / "m")]
    assert cli.main(command) == 1
    assert "--model needs --data" in capsys.readouterr().err
    assert cli.main([*command, "--data", str(write_npz("other.npz", count=100))]) == 1
    assert "training images, tiny had" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_the_temperature_is_fitted_on_the_calibration_images(finished_run, tmp_path, monkeypatch):
    """The fit is replaced: whether it finds a temperature that calibrates 18 images better depends on rounding."""
    fitted_on = []

    def fit(classifier, data):
        fitted_on.append(data)
        return {"temperature": 1.75, "n": len(data)}

    monkeypatch.setattr(export_module, "fit_calibration", fit)
    spec = export(finished_run[0], "calibrated", tmp_path).bundle.spec
    splits = split_data(load_dataset(finished_run[1]), load_run(finished_run[0]).recipe, "Training", "PublicTest")
    assert (fitted_on[0].images == splits.calibration.images).all()
    assert spec.temperature == spec.metadata["calibration"]["temperature"] == 1.75
    assert spec.metadata["calibration"]["n"] == spec.metadata["data"]["num_calibration_images"] == len(fitted_on[0])


def test_weights_that_float16_would_change_are_kept_as_float32(finished_run, tmp_path, monkeypatch):
    monkeypatch.setattr(export_module, "_MAX_CHANGED", -1.0)
    exported = export(finished_run[0], "full", tmp_path)
    assert exported.metadata["weights"]["precision"] == "float32"
    best = network_weights(read_checkpoint(finished_run[0] / "best.ckpt"))
    assert all(np.array_equal(array, best[name]) for name, array in read_weights(exported.bundle).items())


def test_an_onnx_file_that_disagrees_is_not_published(finished_run, tmp_path, monkeypatch):
    def another_network(network, size):
        torch.manual_seed(0)
        torch.nn.init.normal_(network.network.head.weight)
        content = to_onnx(network, size)
        torch.nn.init.zeros_(network.network.head.weight)
        return content

    monkeypatch.setattr(export_module, "to_onnx", another_network)
    with pytest.raises(ModelBundleError, match="torch and onnxruntime differ by"):
        export(finished_run[0], "wrong", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_data_file_than_the_runs_is_refused(finished_run, write_npz, tmp_path):
    with pytest.raises(DatasetError, match="training images, the run had"):
        export(finished_run[0], "tiny", tmp_path / "out", data_path=write_npz(count=60))
    other = write_npz(images=np.random.default_rng(7).integers(0, 255, (120, 48, 48), np.uint8))
    with pytest.raises(DatasetError, match="not the images, labels and splits that the run was trained on"):
        export(finished_run[0], "tiny", tmp_path / "out", data_path=other)


@pytest.fixture
def with_head(finished_run, tmp_path):
    """Returns a function that copies the run with another weight of the head in its best epoch."""

    def copy(value):
        folder = shutil.copytree(finished_run[0], tmp_path / "run")
        checkpoint = torch.load(folder / "best.ckpt", weights_only=True)
        checkpoint["state_dict"]["network.head.weight"][0, 0] = value
        torch.save(checkpoint, folder / "best.ckpt")
        return folder

    return copy


def test_a_run_that_has_diverged_is_not_exported(with_head, tmp_path):
    with pytest.raises(ModelBundleError, match="run: the numbers of head.weight are not finite; has the training"):
        export(with_head(float("nan")), "tiny", tmp_path / "out")


def test_weights_beyond_the_range_of_float16_are_kept_as_float32(with_head, tmp_path, monkeypatch):
    monkeypatch.setattr(export_formats, "PARITY", 1.0)  # of logits that are as large
    metadata = export(with_head(1e6), "large", tmp_path / "out").metadata
    assert metadata["weights"]["precision"] == "float32"
    assert metadata["weights"]["float16_largest_logit_difference"] is None


@pytest.mark.parametrize("name", ["tiny.baseline", "tiny.int8", "TINY.INT8"])
def test_a_name_of_the_files_of_another_model_is_refused(finished_run, tmp_path, name):
    with pytest.raises(ConfigurationError, match=f"--name {name}: files of names that end in .* belong to another"):
        export(finished_run[0], name, tmp_path / "out")


@pytest.mark.parametrize("name", ["run.json", "best.ckpt"])
def test_a_run_that_is_not_whole_is_refused_by_file(finished_run, tmp_path, name):
    folder = tmp_path / "run"
    shutil.copytree(finished_run[0], folder)
    (folder / name).unlink()
    with pytest.raises(ModelFileError, match=f"{name}: no such file"):
        export(folder, "tiny", tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "content"),
    [("run.json", b"{"), ("run.json", b"[]"), ("run.json", b"{}"), ("best.ckpt", b"x"), ("best.ckpt", b"")],
)
def test_a_damaged_run_is_refused_in_one_line(finished_run, tmp_path, name, content):
    folder = tmp_path / "run"
    shutil.copytree(finished_run[0], folder)
    (folder / name).write_bytes(content)
    with pytest.raises(ModelBundleError, match=f"{name}: not ") as refusal:
        export(folder, "tiny", tmp_path / "out")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(epoch=None), "epoch is not of type int"),
        (lambda c: c.update(callbacks=5), "callbacks is not of type dict"),
        (lambda c: c.update(lr_schedulers="x"), "lr_schedulers is not of type list"),
        (lambda c: c.update(state_dict=[]), "state_dict is not of type dict"),
        (lambda c: c["state_dict"].update({"network.head.bias": 3}), "state_dict: network.head.bias"),
        (lambda c: c["state_dict"].update({3: torch.zeros(1)}), "state_dict: 3"),
        (lambda c: c["state_dict"].update({"a": torch.zeros(1).bfloat16()}), "state_dict: a"),
        (lambda c: c["state_dict"].update({"a": torch.zeros(1).to_sparse()}), "state_dict: a"),
    ],
)
def test_a_checkpoint_of_something_else_is_named(finished_run, tmp_path, change, words):
    content = torch.load(finished_run[0] / "best.ckpt", weights_only=True)
    change(content)
    torch.save(content, tmp_path / "best.ckpt")
    with pytest.raises(ModelBundleError, match=re.escape(f"best.ckpt: not a checkpoint of a run ({words}")):
        read_checkpoint(tmp_path / "best.ckpt")


def test_a_checkpoint_that_would_run_code_is_refused(finished_run, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    torch.save({"state_dict": {}, "bomb": Bomb()}, tmp_path / "best.ckpt")
    with pytest.raises(ModelBundleError, match="not a readable checkpoint"):
        read_checkpoint(tmp_path / "best.ckpt")
    assert not (tmp_path / "exploded").exists()


def test_the_onnx_file_contains_no_path_of_this_machine(exported_model):
    content = exported_model.bundle.onnx.read_bytes()
    assert b"/emotion_perception/" not in content
    assert json.loads(exported_model.bundle.weights.with_suffix(".json").read_text())["format"] == 1
