# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E402 (the imports below need torch)
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the nodes run without it on a CPU")

from emotion_perception.core.classification.classifier import create_classifier
from emotion_perception.core.classification.model_bundle import (
    load_model_bundle,
    read_weights,
    save_model,
    shipped_models,
)
from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.classification.networks import NETWORKS, CompactVGG, MirrorAverage, build_network
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.classification.preprocessing import to_batch
from emotion_perception.core.errors import ModelBundleError
from emotion_perception.core.inference import devices

OPTIONS = {"widths": [4, 8]}
PICTURES = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0))


def weights_of(network):
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def spec(**options):
    return ModelSpec(**{"architecture": "compact_vgg", "options": OPTIONS, "input_size": 16, **options})


def test_the_shipped_network_keeps_within_three_million_parameters():
    assert sum(parameter.numel() for parameter in CompactVGG().parameters()) == 2_060_583


def test_depths_are_the_convolutions_of_each_stage():
    network = CompactVGG(**OPTIONS, depths=[1, 3]).eval()
    convolutions = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in convolutions] == [(1, 4), (4, 8), (8, 8), (8, 8)]
    assert network(PICTURES).shape == (3, 7)


def test_the_mirror_average_is_the_mean_over_a_image_and_its_mirror_image():
    network = CompactVGG(**OPTIONS).eval()
    expected = (network(PICTURES) + network(PICTURES.flip(-1))) / 2
    averaged = MirrorAverage(network)
    assert torch.allclose(averaged(PICTURES), expected, atol=1e-6)
    assert torch.allclose(averaged(PICTURES.flip(-1)), expected, atol=1e-6)


def test_the_second_head_shares_the_features_and_is_absent_without_classes():
    logits, aux = CompactVGG(aux_classes=10, **OPTIONS).eval().forward_with_aux(PICTURES)
    assert (logits.shape, aux.shape) == ((3, 7), (3, 10))
    with pytest.raises(ValueError, match="without a second head"):
        CompactVGG(**OPTIONS).forward_with_aux(PICTURES)


def test_a_network_is_rebuilt_from_its_description_and_weights():
    network = CompactVGG(**OPTIONS).eval()
    rebuilt = build_network(spec(mirror_average=True), weights_of(network))
    assert not rebuilt.training
    assert torch.equal(rebuilt(PICTURES), MirrorAverage(network)(PICTURES))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"architecture": "other"}, "no architecture 'other' to run with torch"),
        ({"labels": ("a", "b")}, r"has 'head.weight' as \(2, 8\), the weights have \(7, 8\)"),
        ({"options": {"widths": [4, 8, 8]}}, "the weights lack"),
        ({"options": {"widths": [4]}}, "no parameter"),
        ({"options": {"depth": 4}}, "architecture 'compact_vgg': .*depth"),
        ({"options": {"widths": [4, -8]}}, "architecture 'compact_vgg'"),
        ({"options": {**OPTIONS, "depths": [2]}}, r"depths \[2\] are not 2 numbers from 1"),
        ({"options": {**OPTIONS, "depths": [0, 2]}}, r"depths \[0, 2\] are not 2 numbers from 1"),
    ],
)
def test_weights_that_do_not_fit_the_description_are_refused_in_one_line(changed, words):
    with pytest.raises(ModelBundleError, match=words) as refusal:
        build_network(spec(**changed), weights_of(CompactVGG(**OPTIONS)))
    assert "\n" not in str(refusal.value)


def test_a_model_without_onnx_twin_runs_through_torch_on_the_cpu(tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "_NVIDIA_DEVICES", ())
    network = CompactVGG(**OPTIONS).eval()
    bundle = save_model(tmp_path, "plain", spec(), weights_of(network))
    classifier = create_classifier(ClassifierOptions(model=str(bundle.weights)))
    classifier.warm_up()
    crops = list(np.random.default_rng(0).integers(0, 256, (3, 20, 20), dtype=np.uint8))
    assert classifier.device == "cpu"
    assert classifier.classify(crops) == pytest.approx(
        np.concatenate([classifier.classify([crop]) for crop in crops]), abs=1e-5
    )


def test_the_error_of_a_head_that_does_not_fit_names_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "_NVIDIA_DEVICES", ())
    bundle = save_model(tmp_path, "plain", spec(labels=("a", "b")), weights_of(CompactVGG(**OPTIONS)))
    with pytest.raises(ModelBundleError, match="plain.safetensors: the network has 'head.weight'"):
        create_classifier(ClassifierOptions(model=str(bundle.weights)))


@pytest.mark.parametrize(
    "name", [name for name in shipped_models() if load_model_bundle(name).spec.architecture in NETWORKS]
)
def test_the_weights_of_a_shipped_model_that_torch_runs_give_what_its_onnx_twin_gives(name):
    bundle = load_model_bundle(name)
    crops = list(np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8))
    with torch.inference_mode():
        network = build_network(bundle.spec, read_weights(bundle))
        expected = network(torch.from_numpy(to_batch(crops, bundle.spec))).numpy()
    classifier = create_classifier(ClassifierOptions(model=name, device="cpu", precision="float32"))
    quantized = "float_model" in bundle.spec.metadata["onnx"]  # its twin has 8 bits, its weights have all
    assert classifier.logits(crops) == pytest.approx(expected, abs=0.2 if quantized else 1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_cuda_gives_what_the_cpu_gives(tmp_path):
    network = CompactVGG(**OPTIONS).eval()
    bundle = save_model(tmp_path, "plain", spec(mirror_average=True), weights_of(network))
    crops = list(np.random.default_rng(0).integers(0, 256, (5, 20, 20), dtype=np.uint8))
    cuda, cpu = (create_classifier(ClassifierOptions(model=str(bundle.weights), device=d)) for d in ("cuda", "cpu"))
    assert (cuda.device, cuda.fallback) == ("cuda:0", False)
    assert cuda.classify(crops) == pytest.approx(cpu.classify(crops), abs=1e-5)
