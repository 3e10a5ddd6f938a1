# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import shutil

import numpy as np
import onnx
import pytest

from emotion_perception.core.classification import softmax
from emotion_perception.core.classification.model_bundle import load_model_bundle, replace_onnx
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.errors import ConfigurationError, DatasetError, ModelFileError
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.export import calibration as calibrate_module
from emotion_perception.training.export.calibration import (
    calibrate,
    fit_calibration,
    fit_temperature,
    nll,
    summary_line,
)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2 * temperature, (20_000, 5)).astype(np.float32)
    chances = softmax(logits, temperature).cumsum(axis=1)
    truth = (rng.random((20_000, 1)) > chances).sum(axis=1).clip(max=4)
    assert fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("wrong", [False, True])
def test_the_temperature_stays_within_its_limits(wrong):
    truth = np.arange(6) % 2
    logits = np.eye(2, dtype=np.float32)[1 - truth if wrong else truth]
    assert fit_temperature(logits, truth) == pytest.approx(20.0 if wrong else 0.05, rel=1e-3)


def test_the_loss_is_finite_for_any_logits():
    assert nll(np.array([[1000.0, 0.0]], np.float32), np.array([1]), 1.0) == pytest.approx(1000)


def test_a_models_description_gets_the_fitted_temperature(exported_model, write_npz, tmp_path):
    shutil.copytree(exported_model.bundle.weights.parent, tmp_path / "model")
    path = tmp_path / "model" / "tiny.safetensors"
    figures = calibrate(ClassifierOptions(model=str(path)), write_npz(), split="PublicTest")
    spec = load_model_bundle(path).spec
    assert spec.temperature == figures["temperature"]
    assert figures["nll_after"] <= figures["nll_before"]
    assert spec.metadata["calibration"]["n"] == 27, "three are also in a later split"
    assert spec.metadata["terms"] == exported_model.bundle.spec.metadata["terms"], "the rest is kept"


def test_images_that_say_nothing_are_left_out_of_calibration(exported_model, write_npz, tmp_path, caplog):
    shutil.copytree(exported_model.bundle.weights.parent, tmp_path / "model")
    options = ClassifierOptions(model=str(tmp_path / "model" / "tiny.safetensors"))
    arrays = dict(np.load(write_npz(count=40)))
    arrays |= {"split": None, "split_names": None, "leak": None, "labels": np.arange(40, dtype=np.uint8) % 5}
    arrays["images"][:8] = 0
    assert calibrate(options, write_npz(**arrays))["n"] == 32
    assert "8 images are left out: blank" in caplog.text
    assert "no image of neutral, surprise: the temperature is that of the other classes" in caplog.text
    arrays["images"][:] = 0
    with pytest.raises(DatasetError, match="no image to fit the temperature on"):
        calibrate(options, write_npz(**arrays))


class Answering:
    """Stands in for a classifier: an image's first pixel says which row of the logits it is."""

    def __init__(self, logits, labels):
        self._logits, self.labels = logits, labels

    def logits(self, crops):
        return self._logits[[int(crop[0, 0]) for crop in crops]]


@pytest.mark.parametrize("proposed", [None, 2.0])
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_a_fitted_temperature_is_taken_only_where_it_calibrates(monkeypatch, scale, proposed):
    """60 % are right; the plain logits say so, the scaled ones are too sure."""
    if proposed:
        monkeypatch.setattr(calibrate_module, "fit_temperature", lambda logits, truth: proposed)
    truth = (np.arange(200) % 5 >= 3).astype(np.int64)
    logits = np.tile(np.log(np.array([[0.6, 0.4]], np.float32)), (200, 1)) * scale
    images = np.zeros((200, 4, 4), np.uint8)
    images[:, 0, 0] = np.arange(200)
    figures = fit_calibration(Answering(logits, ("anger", "fear")), FaceDataset(images, truth, ("anger", "fear")))
    assert figures["fitted"] == pytest.approx(proposed or scale, rel=1e-3)
    helps = scale == 4.0
    assert figures["temperature"] == (figures["fitted"] if helps else 1.0)
    assert ("stays 1" in summary_line(figures)) is (not helps and proposed is not None)


@pytest.mark.parametrize("name", ["compact_vgg", "compact_vgg.int8"])
def test_a_shipped_model_is_not_changed_by_name(write_npz, name):
    with pytest.raises(ConfigurationError, match=f"give the path of a copy, not the name '{name}'"):
        calibrate(ClassifierOptions(model=name), write_npz(), split="PublicTest")


ONE_ROW = (
    '<ir_version: 8, opset_import: ["" : 17]> g (float[N, 1, 16, 16] images) => (float[N, 7] logits)'
    "<int64[2] shape = {1, 7}> { mean = ReduceMean<keepdims=0>(images)  logits = Expand(mean, shape) }"
)


def test_a_network_that_gives_one_row_for_a_batch_is_refused(exported_model, write_npz, tmp_path):
    shutil.copytree(exported_model.bundle.weights.parent, tmp_path / "model")
    path = tmp_path / "model" / "tiny.json"
    replace_onnx(load_model_bundle(path), onnx.parser.parse_model(ONE_ROW).SerializeToString())
    with pytest.raises(ModelFileError, match=r"tiny.onnx: its output logits has the shape \(1, 7\), expected \(2, "):
        calibrate(ClassifierOptions(model=str(path), device="cpu"), write_npz(), split="PublicTest")
