# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emotion_perception.core.classification.model_bundle import (
    load_model_bundle,
    load_spec,
    read_weights,
    replace_spec,
    save_model,
    shipped_models,
)
from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.errors import ModelBundleError, ModelFileError


def edit(bundle, change):
    """Lets `change` alter the parsed description, and returns the description's path."""
    path = bundle.weights.with_suffix(".json")
    description = json.loads(path.read_text())
    change(description)
    path.write_text(json.dumps(description))
    return path


def rehash(bundle, key):
    """Makes the description agree with the file as it is now: only the file's own format can then be wrong."""
    path = bundle.weights if key == "weights" else bundle.onnx
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    edit(bundle, lambda description: description[key].update(sha256=sha256))


def test_a_model_comes_back_as_it_was_written(tmp_path):
    spec = ModelSpec(
        architecture="any",
        options={"widths": [4, 8]},
        labels=("b", "a"),
        temperature=1.5,
        mirror_average=True,
        metadata={"terms": "föö"},
    )
    weights = {"head.weight": np.eye(2, dtype=np.float32), "counter": np.array(3, np.int64)}
    written = save_model(tmp_path, "any", spec, weights, onnx=b"x")
    read = load_model_bundle(tmp_path / "any.safetensors")
    assert read == written
    assert (read.name, read.spec, read.onnx) == ("any", spec, tmp_path / "any.onnx")
    assert read.sha256 == hashlib.sha256((tmp_path / "any.safetensors").read_bytes()).hexdigest()
    assert {name: array.tolist() for name, array in read_weights(read).items()} == {
        "head.weight": [[1, 0], [0, 1]],
        "counter": 3,
    }


@pytest.mark.parametrize("half", [False, True])
def test_weights_in_another_memory_order_are_written_in_theirs(tmp_path, half):
    channels_last = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4).transpose(0, 3, 1, 2)
    weights = {"convolution": channels_last, "scalar": np.array(3, np.int64)}
    read = read_weights(save_model(tmp_path, "any", ModelSpec(architecture="any"), weights, half=half))
    assert (read["convolution"] == channels_last).all()
    assert read["scalar"].shape == ()


@pytest.mark.parametrize("ending", ["safetensors", "onnx", "json"])
def test_a_model_is_found_by_any_of_its_files(build_model, ending):
    bundle = build_model()
    assert load_model_bundle(str(bundle.weights.with_suffix(f".{ending}"))) == bundle


def test_half_precision_is_stored_small_and_read_as_float32(tmp_path):
    weights = {"wide": np.full((64, 64), 0.1, np.float32), "variance": np.full(3, 1e-9, np.float32)}
    sizes = {}
    for half in (False, True):
        bundle = save_model(tmp_path, f"half{half}", ModelSpec(architecture="any"), weights, half=half)
        sizes[half] = bundle.weights.stat().st_size
    read = read_weights(bundle)
    assert sizes[True] < 0.6 * sizes[False]
    assert {array.dtype for array in read.values()} == {np.dtype(np.float32)}
    assert read["wide"] == pytest.approx(0.1, rel=1e-3)
    assert read["variance"].tolist() == weights["variance"].tolist(), "few and tiny numbers keep their precision"


def test_another_description_leaves_the_weights_alone(build_model):
    bundle = build_model()
    changed = replace_spec(bundle, ModelSpec(architecture="linear", input_size=8, temperature=2.0))
    assert changed.spec.temperature == 2.0
    assert (changed.sha256, changed.onnx) == (bundle.sha256, bundle.onnx)


@pytest.mark.parametrize("ending", ["safetensors", "onnx", "json"])
def test_a_missing_file_is_refused_by_name(build_model, ending):
    path = build_model().weights.with_suffix(f".{ending}")
    path.unlink()
    with pytest.raises(ModelFileError, match=f"linear.{ending}: no such file"):
        load_model_bundle(path.with_suffix(".safetensors"))


@pytest.mark.parametrize("ending", ["safetensors", "onnx"])
@pytest.mark.parametrize("damage", [lambda data: data[:-10], lambda data: data[:-1] + b"?", lambda data: b""])
def test_a_file_cut_short_or_changed_is_refused_by_name(build_model, ending, damage):
    path = build_model().weights.with_suffix(f".{ending}")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelFileError, match=f"linear.{ending}: sha256 .* truncated or changed"):
        load_model_bundle(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ('{"format": 1', "not JSON"),
        ("\xff\xfe", "not"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not the description of a model"),
        ("{}", "not the description of a model"),
        ('{"format": 2}', "format 2, but this version reads 1"),
        ('{"format": 1}', "lacks name, onnx, spec, weights"),
        ('{"format": 1, "name": "x", "spec": {"temperature": NaN}}', "NaN is not a number"),
    ],
)
def test_a_description_that_is_none_is_refused_in_one_line(tmp_path, text, words):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ModelBundleError, match=words) as refusal:
        load_spec(tmp_path / "x.json")
    assert "x.json" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(license="MIT"), "unknown key license"),
        (lambda d: d["spec"].update(color="rgb"), "unknown key color"),
        (lambda d: d["spec"].pop("labels"), "lacks labels"),
        (lambda d: d.update(spec=[]), "spec is not an object"),
        (lambda d: d["spec"].update(labels="happy"), "labels 'happy' is not of type list of str"),
        (lambda d: d["spec"].update(labels=[1, 2]), "labels .* is not of type list of str"),
        (lambda d: d["spec"].update(options=[]), "options .* is not of type object"),
        (lambda d: d["spec"].update(mirror_average=1), "mirror_average 1 is not of type bool"),
        (lambda d: d["spec"].update(crop_margin="wide"), "crop_margin 'wide' is not of type float"),
        (lambda d: d["spec"].update(input_size="48"), "input_size '48' is not of type int"),
        (lambda d: d["spec"].update(input_size=True), "input_size True is not of type int"),
        (lambda d: d["spec"].update(temperature=-1), "temperature -1 is not within 0.001..1000"),
        (lambda d: d["spec"].update(temperature=1e-320), "temperature 1e-320 is not within 0.001..1000"),
        (lambda d: d["spec"].update(temperature=10**400), "temperature 1000.* is not within 0.001..1000"),
        (
            lambda d: d["spec"]["labels"].__setitem__(0, "a\nb\x1b[31m"),
            r"label 'a\\nb\\x1b\[31m' has control characters",
        ),
        (lambda d: d["spec"]["labels"].__setitem__(0, "a" * 101), "or more than 100 characters"),
        (lambda d: d.update(weights="linear.safetensors"), "weights does not name a file and its sha256"),
        (lambda d: d["weights"].update(file="."), "weights names no file"),
        (lambda d: d["spec"]["metadata"].update(calibration=3), "metadata: calibration 3 is not of type object"),
        (lambda d: d["spec"]["metadata"].update(recipe="x"), "metadata: recipe 'x' is not of type object"),
        (lambda d: d["onnx"].pop("sha256"), "onnx does not name a file and its sha256"),
    ],
)
def test_a_wrong_description_is_refused_with_the_key(build_model, change, words):
    path = edit(build_model(), change)
    with pytest.raises(ModelBundleError, match=words) as refusal:
        load_model_bundle(path)
    assert str(path) in str(refusal.value)


def test_a_description_with_retired_names_is_read(build_model):
    path = build_model().weights.with_suffix(".json")
    description = json.loads(path.read_text())
    description["spec"]["normalisation"] = (
        description["spec"].pop("normalization").replace("standardize", "standardise")
    )
    assert description["spec"]["normalisation"] == "standardise"
    path.write_text(json.dumps(description))
    assert load_model_bundle(path).spec.normalization == "standardize"


def test_a_description_cannot_point_outside_its_folder(build_model, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    bundle = build_model()
    path = edit(bundle, lambda d: d["onnx"].update(file="../secret", sha256=hashlib.sha256(b"secret").hexdigest()))
    with pytest.raises(ModelFileError, match="model/secret: no such file"):
        load_model_bundle(path)


def test_weights_that_would_run_code_are_refused_unopened(build_model, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    bundle = build_model()
    bundle.weights.write_bytes(pickle.dumps(Bomb()))
    rehash(bundle, "weights")
    with pytest.raises(ModelBundleError, match="not a readable safetensors file"):
        read_weights(load_model_bundle(bundle.weights))
    assert not (tmp_path / "exploded").exists()


def test_a_model_of_any_name_is_opened_in_a_locale_that_is_not_utf8(tmp_path, build_model):
    old = build_model()
    save_model(tmp_path / "m", "n\u00e9 \U0001f600", old.spec, read_weights(old))
    code = "import os; from emotion_perception.core.classification.model_bundle import load_model_bundle;"
    code += "print(len(load_model_bundle(next(e.path for e in os.scandir('m') if e.name.endswith('.json'))).sha256))"
    locale = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | locale, capture_output=True, text=True, check=False
    )
    assert done.stdout == "64\n", done.stderr


@pytest.mark.parametrize("name", ["no_such_model", "folder/no_such_model", "weights.pt", ""])
def test_an_unknown_model_is_refused_with_what_there_is(name):
    with pytest.raises(ModelFileError, match=f"no model '{name}'; shipped: .*give the path of a .safetensors file"):
        load_model_bundle(name)


@pytest.mark.parametrize(
    "name", shipped_models() or [pytest.param("", marks=pytest.mark.skip("no model is shipped yet"))]
)
def test_every_shipped_model_is_whole(name):
    bundle = load_model_bundle(name)
    assert bundle.onnx is not None, "the nodes run the ONNX export on a CPU"
    assert bundle.onnx.stat().st_size < 15e6
    assert bundle.spec.metadata["terms"]
