# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import zipfile

import numpy as np
import pytest
import torch

from emotion_perception.core.classification.classifier import create_classifier
from emotion_perception.core.classification.model_bundle import save_model
from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.classification.preprocessing import to_batch
from emotion_perception.core.errors import ModelBundleError
from emotion_perception.training.architectures import build_network, network_names
from emotion_perception.training.evaluate.prediction import network_logits
from emotion_perception.training.export.export_formats import (
    check_parity,
    from_torchscript,
    to_onnx,
    to_torchscript,
)

CROPS = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)
SMALL = {"compact_vgg": {"widths": [4, 8]}, "tunable_cnn": {"widths": [4] * 5}}
TOO_LARGE = {"wide_cnn"}  # 160 million parameters, for images of 640x490


def weights_of(spec):
    """Returns random weights for a spec, statistics of normalization included."""
    from emotion_perception.training.architectures import create_network

    torch.manual_seed(0)
    network = create_network(spec.architecture, num_classes=len(spec.labels), **spec.options)
    network.train()(torch.randn(8, 1, spec.input_size, spec.input_size))
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("name", sorted(set(network_names()) - TOO_LARGE))
def test_every_network_gives_the_same_logits_in_all_export_formats(name, tmp_path):
    spec = ModelSpec(architecture=name, options=SMALL.get(name, {}), labels=("face", "other", "both"))
    weights = weights_of(spec)
    network = build_network(spec, weights)
    model = save_model(tmp_path, "exported", spec, weights, onnx=to_onnx(network, spec.input_size))
    classifier = create_classifier(ClassifierOptions(model=str(model.weights), device="cpu"))
    assert check_parity(network, classifier.logits, CROPS, spec, "onnxruntime") < 1e-4
    script = from_torchscript(to_torchscript(network, spec))
    assert check_parity(network, lambda crops: network_logits(script, crops, spec), CROPS, spec, "script") < 1e-4
    assert classifier.logits(CROPS).shape == (5, 3)


def test_a_torchscript_file_takes_any_batch_and_has_its_description_inside(tmp_path):
    spec = ModelSpec(architecture="compact_vgg", options=SMALL["compact_vgg"], input_size=16, mirror_average=True)
    network = build_network(spec, weights_of(spec))
    (tmp_path / "tiny.ts").write_bytes(to_torchscript(network, spec))
    script = from_torchscript((tmp_path / "tiny.ts").read_bytes())
    for count in (1, 3):
        inputs = torch.from_numpy(to_batch(list(CROPS[:count]), spec))
        with torch.inference_mode():
            assert torch.allclose(script(inputs), network(inputs), atol=1e-5)
    assert b"site-packages" not in (tmp_path / "tiny.ts").read_bytes()
    with zipfile.ZipFile(tmp_path / "tiny.ts") as file:
        inside = next(entry for entry in file.namelist() if entry.endswith("extra/spec.json"))
        assert json.loads(file.read(inside))["labels"] == list(spec.labels)


def test_an_export_format_that_disagrees_on_a_batch_of_one_is_refused():
    spec = ModelSpec(architecture="compact_vgg", options=SMALL["compact_vgg"], input_size=16)
    network = build_network(spec, weights_of(spec))
    wrong = lambda crops: network_logits(network, crops, spec) + (len(crops) == 1)  # noqa: E731
    with pytest.raises(ModelBundleError, match="torch and another format differ by 1 in a logit, more than 0.0001"):
        check_parity(network, wrong, CROPS, spec, "another format")
