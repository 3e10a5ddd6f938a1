# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from emotion_perception import cli
from emotion_perception.core.classification.classifier import create_classifier
from emotion_perception.core.classification.model_bundle import load_model_bundle, read_weights, save_model
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.errors import DatasetError, ModelBundleError, ModelFileError
from emotion_perception.training.evaluate.evaluator import evaluate
from emotion_perception.training.export.exporter import export
from emotion_perception.training.export.quantization import quantize_model
from emotion_perception.training.fit.hardware import Hardware
from emotion_perception.training.fit.training_loop import train
from emotion_perception.training.recipe import load_recipe

CPU = Hardware(device="cpu")
CROPS = np.random.default_rng(0).integers(0, 256, (6, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def exported(finished_run, tmp_path_factory):
    """Returns what `export --int8 --torchscript` made of the finished run; tests that change it copy it first."""
    return export(finished_run[0], "tiny", tmp_path_factory.mktemp("exported"), int8=True, torchscript=True)


@pytest.fixture
def folder(exported, tmp_path):
    """Returns a folder with a copy of the exported files."""
    return shutil.copytree(exported.bundle.weights.parent, tmp_path / "models")


def test_an_int8_model_stands_beside_the_float_model(exported, exported_model):
    folder = exported.bundle.weights.parent
    assert {path.name for path in folder.glob("[!.]*")} == {
        "tiny.safetensors",
        "tiny.json",
        "tiny.onnx",
        "tiny.ts",
        "tiny.int8.onnx",
        "tiny.int8.json",
    }
    assert exported.bundle.onnx.read_bytes() == exported_model.bundle.onnx.read_bytes()
    int8 = exported.quantized.bundle
    assert int8.name == "tiny.int8"
    assert (int8.weights, int8.sha256) == (exported.bundle.weights, exported.bundle.sha256)
    assert b"DequantizeLinear" in int8.onnx.read_bytes()
    assert exported.torchscript.is_file()


@pytest.mark.parametrize("ending", ["onnx", "json"])
def test_the_classifier_opens_it_by_its_own_files(exported, folder, ending):
    int8, full = (
        create_classifier(ClassifierOptions(model=str(folder / f"{name}.{ending}"), device="cpu"))
        for name in ("tiny.int8", "tiny")
    )
    assert int8.model_name == "tiny.int8"
    difference = np.abs(int8.logits(CROPS) - full.logits(CROPS)).max()
    assert 1e-4 < difference < 1


def test_evaluate_measures_it(exported, finished_run, tmp_path):
    config = ClassifierOptions(model=str(exported.quantized.bundle.onnx), device="cpu")
    report = evaluate(config, finished_run[1], tmp_path / "report", split="PublicTest", progress=False)
    assert report["model"] == "tiny.int8"
    assert report["accuracy"] == exported.quantized.accuracy
    assert report["calibration"]["temperature"] == exported.quantized.bundle.spec.temperature


def test_the_description_tells_what_was_lost(exported):
    found, spec = exported.quantized, exported.quantized.bundle.spec
    full = exported.bundle.spec
    assert spec.metadata["onnx"]["float_model"] == "tiny"
    assert spec.metadata["onnx"]["ranges_from"].endswith(" calibration images")
    assert spec.metadata["onnx"]["accuracy_lost"] == pytest.approx(
        full.metadata["measured"]["accuracy"] - spec.metadata["measured"]["accuracy"], abs=2e-6
    )
    assert spec.metadata["calibration"]["temperature"] == spec.temperature
    assert spec.metadata["data"] == full.metadata["data"]
    assert found.bytes_of == (exported.bundle.onnx.stat().st_size, found.bundle.onnx.stat().st_size)
    assert min(found.ms_per_face) > 0


def test_another_file_than_the_described_one_is_refused(folder):
    (folder / "tiny.int8.onnx").write_bytes((folder / "tiny.onnx").read_bytes())
    with pytest.raises(ModelFileError, match="tiny.int8.onnx: sha256 .* truncated or changed"):
        load_model_bundle(folder / "tiny.int8.onnx")


def test_an_export_deletes_the_optional_files_of_the_export_before(finished_run, folder):
    export(finished_run[0], "tiny", folder)
    assert {path.name for path in folder.glob("[!.]*")} == {"tiny.safetensors", "tiny.json", "tiny.onnx"}


def test_the_int8_file_names_no_path_of_this_machine(exported):
    content = exported.quantized.bundle.onnx.read_bytes()
    assert b"/tmp" not in content
    assert b"/emotion_perception/" not in content
    assert json.loads(exported.quantized.bundle.onnx.with_suffix(".json").read_text())["name"] == "tiny.int8"


def test_the_command_prints_what_a_person_should_check(finished_run, tmp_path, capfd):
    command = ["export", "--run", str(finished_run[0]), "--name", "tiny", "--out", str(tmp_path)]
    assert cli.main([*command, "--int8", "--torchscript"]) == 0
    shown = capfd.readouterr()
    assert "tiny.ts: differs from torch by at most" in shown.out
    assert "tiny.int8.onnx: accuracy" in shown.out
    assert "ms per face on this CPU" in shown.out
    assert shown.err == ""


def test_without_calibration_images_the_ranges_come_from_training_images(write_npz, tmp_path):
    people = write_npz(
        count=60,
        labels=(np.arange(60) % 2).astype(np.uint8),
        class_names=np.array(["female", "male"]),
        subject=[f"S{k % 20}" for k in range(60)],
        **dict.fromkeys(("split", "split_names", "leak", "ferplus_votes", "ferplus_names")),
    )
    changes = ("labels=[woman, man]", "options={widths: [4, 4, 4, 4, 8]}", "input_size=16", "epochs=1")
    recipe = load_recipe("tunable_cnn", (*changes, "batch_size=16"))
    train(recipe, people, tmp_path / "run", hardware=Hardware(device="cpu"), num_threads=1)
    done = export(tmp_path / "run", "gender", tmp_path / "models", int8=True)
    metadata = done.quantized.bundle.spec.metadata
    assert done.bundle.spec.labels == ("woman", "man")
    assert metadata["onnx"]["ranges_from"] == f"{metadata['data']['num_train_images']} training images"
    assert metadata["calibration"] is None
    assert metadata["data"]["train_split"] is None
    assert metadata["measured"]["split"] == metadata["data"]["epoch_selected_on"] == "a tenth of the people"
    assert metadata["data"]["left_out"] == "0 images that are blank or repeated"
    assert "a woman or a man" in metadata["intended_use"]


def test_a_finished_model_is_quantized_without_its_run(finished_run, exported, exported_model, tmp_path, capsys):
    model, out = exported_model.bundle, tmp_path / "out"
    assert cli.main(["quantize", "--model", str(model.weights), "--data", str(finished_run[1]), "--out", str(out)]) == 0
    assert "points lost" in capsys.readouterr().out
    names = {path.name for path in out.glob("[!.]*")}
    assert names == {"tiny.safetensors", "tiny.json", "tiny.onnx", "tiny.int8.onnx", "tiny.int8.json"}
    assert (out / "tiny.int8.onnx").read_bytes() == exported.quantized.bundle.onnx.read_bytes()
    again = quantize_model(str(out / "tiny.json"), finished_run[1], out)
    assert again.accuracy == exported.quantized.accuracy


def test_quantizing_needs_the_images_of_the_training(exported_model, write_npz, tmp_path, capsys):
    data = write_npz(count=60)
    assert cli.main(["quantize", "--model", str(exported_model.bundle.weights), "--data", str(data), "--out", "x"]) == 1
    assert "training images, tiny had" in capsys.readouterr().err


@pytest.mark.guarantee("`quantize` refuses other images than those that the model was trained on.", section="Programs")
@pytest.mark.parametrize("of_earlier_version", [False, True])
def test_quantizing_refuses_other_images_of_the_same_number(
    exported_model, finished_run, write_npz, tmp_path, of_earlier_version
):
    model = exported_model.bundle
    data = {name: value for name, value in model.spec.metadata["data"].items() if name != "splits_sha256"}
    metadata = {**model.spec.metadata, "data": data} if of_earlier_version else model.spec.metadata
    spec = replace(model.spec, metadata=metadata)
    copy = save_model(tmp_path / "m", "own", spec, read_weights(model), onnx=model.onnx.read_bytes())
    other = write_npz(images=np.random.default_rng(7).integers(0, 255, (120, 48, 48), np.uint8))
    with pytest.raises(DatasetError, match="not the images, labels and splits that own was trained on"):
        quantize_model(str(copy.weights), other, tmp_path / "out")
    assert quantize_model(str(copy.weights), finished_run[1], tmp_path / "out").accuracy > 0


def test_an_int8_model_is_not_quantized_again(exported, finished_run, tmp_path):
    with pytest.raises(ModelBundleError, match="tiny.int8: is a quantized form already; give .*/tiny.safetensors"):
        quantize_model(str(exported.quantized.bundle.onnx), finished_run[1], tmp_path)


def test_a_model_that_was_calibrated_later_keeps_its_temperature_without_calibration_images(
    write_npz, tiny_recipe, tmp_path
):
    data = write_npz()
    train(tiny_recipe("epochs=1", "calibration_fraction=0"), data, tmp_path / "run", hardware=CPU, num_threads=1)
    weights = str(export(tmp_path / "run", "own", tmp_path / "m").bundle.weights)
    assert cli.main(["calibrate", "--model", weights, "--data", str(data), "--split", "PublicTest"]) == 0
    calibrated = load_model_bundle(weights).spec
    spec = quantize_model(weights, data, tmp_path / "m").bundle.spec
    assert spec.temperature == calibrated.temperature
    assert spec.metadata["calibration"] == calibrated.metadata["calibration"]
    assert spec.metadata["onnx"]["ranges_from"].endswith(" training images")


def test_a_model_that_does_not_say_how_it_was_trained_is_refused(exported_model, finished_run, tmp_path):
    model = exported_model.bundle
    bare = save_model(tmp_path, "bare", replace(model.spec, metadata={}), read_weights(model))
    with pytest.raises(ModelBundleError, match="bare: its description does not say how it was trained"):
        quantize_model(str(bare.weights), finished_run[1], tmp_path)
