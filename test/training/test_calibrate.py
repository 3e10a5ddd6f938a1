import shutil

import numpy as np
import pytest

from emotion_perception.core.checkpoint import load_checkpoint
from emotion_perception.core.classification import softmax
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.training.calibrate import calibrate, fit_temperature, nll


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
    shutil.copytree(exported_model.checkpoint.weights.parent, tmp_path / "model")
    path = tmp_path / "model" / "tiny.safetensors"
    figures = calibrate(ClassifierConfig(model=str(path)), write_npz(), split="PublicTest")
    spec = load_checkpoint(path).spec
    assert spec.temperature == figures["temperature"]
    assert figures["nll_after"] <= figures["nll_before"]
    assert spec.metadata["calibration"]["n"] == 30
    assert spec.metadata["terms"] == exported_model.checkpoint.spec.metadata["terms"], "the rest is kept"


def test_a_shipped_model_is_not_changed_by_name(write_npz):
    with pytest.raises(ConfigurationError, match="give a path, not the name 'compact_vgg'"):
        calibrate(ClassifierConfig(model="compact_vgg"), write_npz(), split="PublicTest")
