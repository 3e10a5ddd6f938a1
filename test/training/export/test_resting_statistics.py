# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import shutil

import numpy as np
import onnx
import pytest
import torch

from emotion_perception import cli
from emotion_perception.core.classification.classifier import create_classifier
from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.classification.model_bundle import load_model_bundle, read_weights
from emotion_perception.core.classification.networks import build_network
from emotion_perception.core.classification.options import ClassifierOptions, RecognizerOptions
from emotion_perception.core.classification.preprocessing import to_batch
from emotion_perception.core.classification.recognizer import EmotionRecognizer
from emotion_perception.core.errors import ConfigurationError, DatasetError, ModelBundleError
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.export import resting_statistics
from emotion_perception.training.export.feature_output import with_features
from emotion_perception.training.export.quantization import quantize_model
from emotion_perception.training.export.resting_statistics import fit_head, moved, relit

CROPS = list(np.random.default_rng(0).integers(0, 256, (6, 48, 48), dtype=np.uint8))
NEUTRAL = LABELS.index("neutral")


class GradientClassifier:
    """Its features are the brightness of each eighth of an image's height, where `_face` draws its class."""

    labels = LABELS

    def features(self, crops):
        rows = np.stack([crop.reshape(8, -1).mean(axis=1) for crop in crops])
        return np.asarray(10 * rows / rows.mean(axis=1, keepdims=True), np.float32)


def _face(label, rng):
    face = rng.normal(100, 3, (8, 1)) * np.ones((8, 48)) + rng.normal(0, 2, (8, 48))
    if label != NEUTRAL:
        face[label] += 60
    return np.repeat(np.clip(face, 0, 255).astype(np.uint8), 6, axis=0)


def _faces(count, *, seed=0, without=()):
    rng = np.random.default_rng(seed)
    labels = np.array([k % 7 for k in range(count) if k % 7 not in without])
    return FaceDataset(np.stack([_face(label, rng) for label in labels]), labels, LABELS)


def test_the_head_tells_expressions_from_rest_whatever_the_face():
    classifier = GradientClassifier()
    head, figures = fit_head(classifier, _faces(280), seed=1)
    rng = np.random.default_rng(9)
    for label in range(7):
        own = rng.normal(0, 20, (8, 1)).repeat(6, axis=0)  # what the person looks like

        def face(of, own=own):
            return np.clip(_face(of, rng).astype(float) + own, 0, 255).astype(np.uint8)

        rest, shown = (head.project(classifier.features([face(of)])) for of in (NEUTRAL, label))
        assert head.probabilities(shown, rest)[0].argmax() == label
    assert figures["still_neutral"] >= resting_statistics.STILL_NEUTRAL
    assert 0 < figures["scale"] < 1.5


def test_the_same_seed_fits_the_same_head():
    heads = [fit_head(GradientClassifier(), _faces(140), seed=3)[0] for _ in range(2)]
    assert (heads[0].weight == heads[1].weight).all()
    assert (heads[0].bias == heads[1].bias).all()


def test_too_few_images_of_a_class_are_refused():
    with pytest.raises(DatasetError, match="0 images of disgust, at least 10 are needed"):
        fit_head(GradientClassifier(), _faces(140, without=(1,)), seed=0)


@pytest.mark.parametrize("change", [relit, moved])
@pytest.mark.parametrize("shape", [(48, 48), (40, 30, 3)])
def test_a_changed_face_has_the_size_of_the_face(change, shape):
    image = np.random.default_rng(2).integers(60, 200, shape, dtype=np.uint8)
    changed = change(image, np.random.default_rng(0))
    assert (changed.shape, changed.dtype) == (image.shape, np.uint8)
    assert 0.4 < changed.mean() / image.mean() < 1.6
    assert not np.array_equal(changed, image)


@pytest.fixture
def with_baseline(exported_model, write_npz, tmp_path, monkeypatch):
    """Returns the folder of the tiny model with statistics of resting faces."""
    monkeypatch.setattr(resting_statistics, "_FEWEST", 5)
    command = ["fit-baseline", "--model", exported_model.bundle.weights, "--data", write_npz(), "--split", "Training"]
    assert cli.main([*map(str, command), "--out", str(tmp_path / "model")]) == 0
    return tmp_path / "model"


def test_the_features_in_the_onnx_file_are_those_of_torch(exported_model):
    bundle = exported_model.bundle
    classifier = create_classifier(
        ClassifierOptions(model=str(bundle.weights), device="cpu", precision="float32"), features=True
    )
    with torch.inference_mode():
        network = build_network(bundle.spec, read_weights(bundle), features=True)
        expected = network(torch.from_numpy(to_batch(CROPS, bundle.spec))).numpy()
    assert classifier.features(CROPS) == pytest.approx(expected[:, 7:], abs=1e-4)
    assert classifier.logits(CROPS) == pytest.approx(expected[:, :7], abs=1e-4)
    assert classifier.features(CROPS[:1]).shape == (1, expected.shape[1] - 7)


def test_an_onnx_file_with_features_and_one_without_a_last_layer_stay_as_they_are(exported_model):
    content = exported_model.bundle.onnx.read_bytes()
    assert [output.name for output in onnx.load_from_string(content).graph.output] == ["logits", "features"]
    assert with_features(content, mirror_average=True) == content
    pooled = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[N, 1, 8, 8] images) => (float[N, 1, 1, 1] logits)'
        "{ logits = GlobalAveragePool(images) }"
    ).SerializeToString()
    assert with_features(pooled, mirror_average=False) == pooled


def test_the_command_writes_a_model_that_reads_relative_to_rest(with_baseline, exported_model, write_npz):
    bundle, before = load_model_bundle(with_baseline / "tiny.json"), exported_model.bundle
    assert bundle.sha256 == before.sha256
    assert bundle.baseline == with_baseline / "tiny.baseline.safetensors"
    options = ClassifierOptions(model=str(bundle.weights), device="cpu", precision="float32")
    classifier = create_classifier(options)
    classifier.warm_up()
    probabilities, projections = classifier.predict(CROPS)
    assert probabilities == pytest.approx(classifier.classify(CROPS))
    fitted, _ = fit_head(classifier, load_dataset(write_npz()).split("Training").usable_for_training(), seed=0)
    assert classifier.resting_head.weight == pytest.approx(fitted.weight, abs=1e-6)
    relative = classifier.resting_head.probabilities(projections, projections)
    assert (relative.argmax(axis=1) == NEUTRAL).all(), "a face is neutral relative to itself"
    assert {"scale", "temperature", "still_neutral", "data_sha256"} <= bundle.spec.metadata["baseline"].keys()
    EmotionRecognizer(classifier).check(RecognizerOptions(baseline="auto"))


def test_the_int8_form_has_the_statistics_too(with_baseline, write_npz, tmp_path):
    quantized = quantize_model(str(with_baseline / "tiny.json"), write_npz(), tmp_path / "int8").bundle
    assert quantized.baseline == tmp_path / "int8" / "tiny.baseline.safetensors"
    classifier = create_classifier(ClassifierOptions(model=str(quantized.onnx), device="cpu"))
    classifier.warm_up()
    assert classifier.predict(CROPS)[1].shape == (6, 7)


def test_statistics_that_were_changed_are_refused(with_baseline):
    (with_baseline / "tiny.baseline.safetensors").write_bytes(b"other")
    with pytest.raises(Exception, match=r"tiny.baseline.safetensors: sha256 .* truncated or changed"):
        load_model_bundle(with_baseline / "tiny.json")


def test_statistics_of_another_network_are_refused(with_baseline):
    from emotion_perception.core.classification.model_bundle import save_baseline

    bundle = load_model_bundle(with_baseline / "tiny.json")
    tensors = {"weight": np.zeros((7, 99), np.float32), "bias": np.zeros(7, np.float32)}
    save_baseline(bundle, tensors, bundle.spec)
    with pytest.raises(ModelBundleError, match="outputs for 7 labels and 99 features"):
        create_classifier(ClassifierOptions(model=str(bundle.weights), device="cpu", precision="float32")).warm_up()


@pytest.mark.guarantee(
    "`baseline: auto` with a model that has no statistics of resting faces is refused at start.",
    section="Emotion classifier node",
)
def test_a_model_without_statistics_works_but_not_with_auto(exported_model):
    classifier = create_classifier(ClassifierOptions(model=str(exported_model.bundle.weights), device="cpu"))
    recognizer = EmotionRecognizer(classifier)
    recognizer.check(RecognizerOptions())
    for call in (
        lambda: recognizer.check(RecognizerOptions(baseline="auto")),
        lambda: recognizer.calibrate(0, 2.0, RecognizerOptions()),
    ):
        with pytest.raises(ConfigurationError, match=r"tiny has no statistics of resting faces.*fit-baseline"):
            call()


def test_a_model_exported_before_gets_the_features_too(exported_model, tmp_path, write_npz, monkeypatch):
    monkeypatch.setattr(resting_statistics, "_FEWEST", 5)
    old = tmp_path / "old"
    shutil.copytree(exported_model.bundle.weights.parent, old)
    network = build_network(exported_model.bundle.spec, read_weights(exported_model.bundle))
    from emotion_perception.core.classification.model_bundle import replace_onnx
    from emotion_perception.training.export.export_formats import to_onnx

    replace_onnx(load_model_bundle(old / "tiny.json"), to_onnx(network, exported_model.bundle.spec.input_size))
    command = ["fit-baseline", "--model", old / "tiny.json", "--data", write_npz(), "--split", "Training", "--out", old]
    assert cli.main([*map(str, command)]) == 0
    assert load_model_bundle(old / "tiny.json").baseline is not None
    assert json.loads((old / "tiny.json").read_text())["baseline"]["file"] == "tiny.baseline.safetensors"


def test_an_onnx_file_whose_features_were_removed_is_named_by_its_place(exported_model, tmp_path, write_npz, capsys):
    old = shutil.copytree(exported_model.bundle.weights.parent, tmp_path / "old")
    model = onnx.load(old / "tiny.onnx")
    del model.graph.output[1]
    from emotion_perception.core.classification.model_bundle import replace_onnx

    replace_onnx(load_model_bundle(old / "tiny.json"), model.SerializeToString())
    command = ["fit-baseline", "--model", old / "tiny.json", "--data", write_npz(), "--split", "Training"]
    assert cli.main([*map(str, command), "--out", str(tmp_path / "out")]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"emotion-perception: {tmp_path}/out/tiny.onnx: cannot get the output features (")


def test_a_network_that_does_not_end_in_a_linear_layer_is_named(exported_model, tmp_path, write_npz, capsys):
    old = shutil.copytree(exported_model.bundle.weights.parent, tmp_path / "old")
    model = onnx.load(old / "tiny.onnx")
    del model.graph.output[1]
    (layer,) = [node for node in model.graph.node if node.op_type == "Gemm"]
    weight, bias = layer.input[1:]
    transposed = any(attribute.name == "transB" and attribute.i for attribute in layer.attribute)
    nodes = [node for node in model.graph.node if node is not layer and "features" not in node.output]
    weights = [f"{weight}_in_rows"] if transposed else [weight]
    if transposed:
        nodes.append(onnx.helper.make_node("Transpose", [weight], weights))
    nodes.append(onnx.helper.make_node("MatMul", [layer.input[0], *weights], ["product"]))
    nodes.append(onnx.helper.make_node("Add", ["product", bias], layer.output))
    order = {name: k for k, node in enumerate(model.graph.node) for name in node.output}
    nodes.sort(key=lambda node: order.get(node.output[0], order[layer.output[0]] - 0.5))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    from emotion_perception.core.classification.model_bundle import replace_onnx

    replace_onnx(load_model_bundle(old / "tiny.json"), model.SerializeToString())
    command = ["fit-baseline", "--model", old / "tiny.json", "--data", write_npz(), "--split", "Training"]
    assert cli.main([*map(str, command), "--out", str(tmp_path / "out")]) == 1
    assert "does not end in a linear layer" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("command", ["fit-baseline", "evaluate"])
def test_a_seed_that_is_none_is_refused(exported_model, write_npz, tmp_path, capsys, command):
    options = ["--model", exported_model.bundle.weights, "--data", write_npz(), "--out", tmp_path / "x", "--seed", "-1"]
    assert cli.main([command, *map(str, options)]) == 1
    assert capsys.readouterr().err == "emotion-perception: --seed -1 is below 0\n"
