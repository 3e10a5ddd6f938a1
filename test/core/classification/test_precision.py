# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import os
import shutil
import time

import numpy as np
import pytest

from emotion_perception.core.assets import file_sha256
from emotion_perception.core.classification.classifier import create_classifier
from emotion_perception.core.classification.model_bundle import load_model_bundle, save_onnx_variant
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.classification.precision import choose_precision
from emotion_perception.core.errors import ConfigurationError, ModelBundleError


class Network:
    """A backend that takes a stated time for a run."""

    device, fallback, problem = "cpu", False, ""

    def __init__(self, duration_s):
        self.duration_s, self.runs = duration_s, 0

    def __call__(self, batch):
        self.runs += 1
        time.sleep(self.duration_s)
        return np.zeros((len(batch), 7), np.float32)


@pytest.fixture
def model(build_model):
    """A model with an int8 form beside it; the form's network is the same one under another name."""
    bundle = build_model()
    onnx = bundle.onnx.with_name("linear.int8.onnx")
    shutil.copy(bundle.onnx, onnx)
    save_onnx_variant(bundle, onnx, bundle.spec)
    return bundle


@pytest.fixture
def choose(model, tmp_path):
    """Returns a function that chooses with networks of these durations; it returns the choice and the networks."""

    def run(
        precision="auto", *, durations=None, bundle=model, num_threads=1, cache=tmp_path / "cache" / "precision.json"
    ):
        networks = {name: Network(s) for name, s in (durations or {"linear": 0.004, "linear.int8": 0.001}).items()}
        opened = []

        def open_backend(form):
            opened.append(form.name)
            return networks[form.name]

        chosen, backend, found = choose_precision(bundle, precision, open_backend, num_threads=num_threads, cache=cache)
        assert backend is networks[chosen.name]
        return chosen.name, found, opened, networks

    return run


@pytest.mark.parametrize(
    ("durations", "expected"),
    [
        ({"linear": 0.004, "linear.int8": 0.001}, ("linear.int8", "int8")),
        ({"linear": 0.001, "linear.int8": 0.004}, ("linear", "float32")),
    ],
)
def test_auto_takes_the_faster_form(choose, durations, expected):
    name, found, _, _ = choose(durations=durations)
    assert (name, found.name) == expected
    assert found.ms_per_face["float32"] == pytest.approx(durations["linear"] * 1e3, rel=1.0)
    assert (found.ms_per_face["int8"] < found.ms_per_face["float32"]) == (found.name == "int8")


def test_a_second_start_opens_only_the_form_that_was_chosen(choose):
    choose()
    name, found, opened, networks = choose()
    assert (name, opened, networks["linear.int8"].runs) == ("linear.int8", ["linear.int8"], 0)
    assert found.ms_per_face["float32"] > found.ms_per_face["int8"]


def test_another_number_of_threads_or_another_network_is_measured_again(choose, model):
    choose()
    assert choose(num_threads=2)[2] == ["linear", "linear.int8"]
    with open(model.onnx.with_name("linear.int8.onnx"), "ab") as file:
        file.write(b"\0")
    save_onnx_variant(model, model.onnx.with_name("linear.int8.onnx"), model.spec)
    assert choose()[2] == ["linear", "linear.int8"]


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"x": 1}', "[" * 100000, json.dumps({"k": {"float32": -1, "int8": float("nan")}})]
)
def test_a_damaged_cache_is_replaced(choose, tmp_path, content):
    cache = tmp_path / "cache" / "precision.json"
    cache.parent.mkdir()
    cache.write_text(content)
    assert choose()[2] == ["linear", "linear.int8"]
    assert choose()[2] == ["linear.int8"]


def test_a_cache_that_cannot_be_written_costs_only_the_measurement(choose, tmp_path):
    (tmp_path / "file").write_text("")
    cache = tmp_path / "file" / "precision.json"
    assert choose(cache=cache)[0] == "linear.int8"
    assert choose(cache=cache)[2] == ["linear", "linear.int8"]


@pytest.mark.parametrize(("precision", "expected"), [("float32", "linear"), ("int8", "linear.int8")])
def test_a_form_that_is_named_is_taken_without_measuring(choose, precision, expected):
    name, found, opened, networks = choose(precision)
    assert (name, found.name, opened, networks[expected].runs) == (expected, precision, [expected], 0)


@pytest.mark.parametrize("precision", ["auto", "float32", "int8"])
def test_a_model_that_is_itself_int8_has_one_form(choose, model, precision):
    int8 = load_model_bundle(model.onnx.with_name("linear.int8.onnx"))
    name, found, opened, _ = choose(precision, bundle=int8)
    assert (name, found.name, opened) == ("linear.int8", "int8", ["linear.int8"])


def test_a_model_without_int8_form_runs_as_it_is_unless_int8_is_requested(build_model):
    model = str(build_model().weights)
    assert create_classifier(ClassifierOptions(model=model, device="cpu")).precision.name == "float32"
    with pytest.raises(ConfigurationError, match="linear has no int8 form; make one: emotion-perception quantize"):
        create_classifier(ClassifierOptions(model=model, device="cpu", precision="int8"))


def test_an_int8_form_of_other_weights_is_refused(model, build_model):
    other = build_model("other", outputs=7)
    described = json.loads(model.weights.with_name("linear.int8.json").read_text())
    other.weights.write_bytes(other.weights.read_bytes().replace(b"weight", b"w3ight"))
    described["weights"] = {"file": "other.safetensors", "sha256": file_sha256(other.weights)}
    model.weights.with_name("linear.int8.json").write_text(json.dumps(described))
    with pytest.raises(
        ModelBundleError, match=r"linear\.int8\.json: was made from other weights than linear\.safetensors"
    ):
        create_classifier(ClassifierOptions(model=str(model.weights), device="cpu"))


def test_int8_does_not_run_on_cuda(model):
    with pytest.raises(
        ConfigurationError, match="precision is int8, which runs on the CPU only, but device is 'cuda:1'"
    ):
        create_classifier(ClassifierOptions(model=str(model.weights), device="cuda:1", precision="int8"))


def test_without_a_home_folder_every_start_measures(model, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert create_classifier(ClassifierOptions(model=str(model.weights), device="cpu")).precision.ms_per_face


@pytest.mark.guarantee(
    "`precision: auto` runs the float32 or the int8 form of the model, whichever this processor runs faster, and "
    "predictions name it.",
    section="Emotion classifier node",
)
def test_the_shipped_model_is_named_as_the_form_that_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    classifier = create_classifier(ClassifierOptions(device="cpu"))
    expected = {"float32": ClassifierOptions.model, "int8": f"{ClassifierOptions.model}.int8"}
    assert classifier.info.model == expected[classifier.precision.name]
    times = classifier.precision.ms_per_face
    assert min(times, key=times.__getitem__) == classifier.precision.name
    (stored,) = json.loads((tmp_path / "emotion_perception" / "precision.json").read_text()).values()
    assert stored == times
