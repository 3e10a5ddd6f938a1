# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E402 (the imports below need torch)
import io
import subprocess
import sys
import warnings

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the networks cannot be built")

from emotion_perception.core.errors import ModelBundleError
from emotion_perception.training.architectures import create_network, keras_count, network_names, networks

SMALL = {
    "compact_vgg": {"widths": [4, 8]},
    "resnet18_gray": {},
    "scar_cnn": {"input_size": 32},
    "tunable_cnn": {"widths": [8, 8, 8, 8, 8]},
    "basic_cnn": {},
    "mini_xception": {},
    "face_gate": {"input_size": 32},
    "swish_cnn": {"input_size": 32},
    "wide_cnn": {"input_hw": [32, 32]},
}


def on_meta(name, **options):
    with torch.device("meta"):
        return create_network(name, **options)


def images(count=2, height=32, width=32):
    return torch.rand(count, 1, height, width, generator=torch.Generator().manual_seed(0))


def trainable(network):
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


@pytest.mark.parametrize(
    ("name", "options", "parameters", "as_keras"),
    [
        ("wide_cnn", {"num_classes": 1}, 160_596_609, 160_600_577),
        ("wide_cnn", {}, 160_599_687, 160_603_655),
        ("resnet18_gray", {}, 11_176_839, 11_184_647),
        ("scar_cnn", {}, 125_383, 125_831),
        ("tunable_cnn", {}, 981_191, 982_663),
        ("basic_cnn", {}, 642_935 - 1_472, 642_935),
        ("mini_xception", {}, 56_951, 58_423),
        ("face_gate", {}, 847_106, 847_682),
        ("swish_cnn", {}, 830_023, 832_199),
        ("compact_vgg", {}, 2_060_583, 2_063_015),
    ],
)
def test_the_parameters_are_as_many_as_its_description_says(name, options, parameters, as_keras):
    network = on_meta(name, **options)
    assert (trainable(network), keras_count(network)) == (parameters, as_keras)


def test_the_table_holds_every_network_of_the_earlier_systems():
    systems = {entry.system: name for name, entry in networks().items()}
    assert set(systems) == {"A1", "A2", "B", "C", "D1", "D2", "E1", "E2", "ours"}
    assert set(SMALL) == set(network_names())


@pytest.mark.parametrize("name", network_names())
def test_the_input_in_the_table_gives_logits_of_the_right_shape(name):
    height, width = networks()[name].input_hw
    logits = on_meta(name, num_classes=5)(torch.empty(2, 1, height, width, device="meta"))
    assert logits.shape == (2, 5)


@pytest.mark.parametrize(("name", "classes"), [(name, 2 if name == "face_gate" else 7) for name in network_names()])
def test_without_options_there_is_an_output_for_each_class_of_its_task(name, classes):
    height, width = networks()[name].input_hw
    assert on_meta(name)(torch.empty(2, 1, height, width, device="meta")).shape == (2, classes)


@pytest.mark.parametrize("hw", [(48, 48), (480, 640)], ids=str)
@pytest.mark.parametrize("name", ["resnet18_gray", "tunable_cnn", "basic_cnn", "mini_xception"])
def test_networks_that_average_over_the_image_take_any_size(name, hw):
    assert on_meta(name)(torch.empty(2, 1, *hw, device="meta")).shape == (2, 7)


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name):
    network = create_network(name, **SMALL[name])
    logits = network(images(3))
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 1])).backward()
    assert logits.dtype == torch.float32
    assert [key for key, value in network.named_parameters() if value.grad is None] == []
    head = list(network.parameters())[-1]
    assert head.grad.abs().sum() > 0


LEARNS_AT_64 = """
import torch
from emotion_perception.training.architectures import create_network
network = create_network("mini_xception", num_classes=2).to(memory_format=torch.channels_last)
for _ in range(3):
    images = torch.randn(127, 1, 64, 64).contiguous(memory_format=torch.channels_last)
    network(images).square().sum().backward()
"""


@pytest.mark.slow
def test_the_residual_network_learns_at_64_pixels_without_breaking_the_process():
    done = subprocess.run([sys.executable, "-c", LEARNS_AT_64], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-1000:]


@pytest.mark.parametrize("side", [7, 8])
def test_the_skips_of_the_residual_network_are_convolutions_of_stride_2(side):
    skip = create_network("mini_xception").eval()[6].skip[0]
    features = torch.randn(2, 8, side, side)
    expected = torch.nn.functional.conv2d(features, skip.weight, stride=2)
    torch.testing.assert_close(skip(features), expected)


def test_the_original_head_of_the_wide_network_has_no_gradient():
    network = create_network("wide_cnn", num_classes=1, input_hw=[16, 16])
    labels = torch.tensor([[0.0], [1.0]])
    torch.nn.functional.cross_entropy(network(images(2, 16, 16)), labels).backward()  # softmax over one unit
    assert all(parameter.grad.abs().max() == 0 for parameter in network.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_the_outputs_are_logits_and_not_shares(name):
    network = create_network(name, **SMALL[name]).eval()
    shares = network(images()).sum(dim=1)
    assert not torch.allclose(shares, torch.ones(2), atol=1e-3)


@pytest.mark.parametrize("name", SMALL)
def test_a_seed_gives_the_same_weights_and_another_seed_others(name):
    def weights(seed):
        torch.manual_seed(seed)
        return torch.cat([value.flatten() for value in create_network(name, **SMALL[name]).parameters()])

    first = weights(1)
    assert torch.equal(first, weights(1))
    assert not torch.equal(first, weights(2))


@pytest.mark.parametrize("name", sorted(SMALL.keys() - {"resnet18_gray"}))  # its 45 MB take seconds to write
def test_onnxruntime_gives_what_torch_gives_for_any_batch(name):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx", reason="the training extra is not installed")
    network, file = create_network(name, **SMALL[name]).eval(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its successor
        torch.onnx.export(network, (images(),), file, input_names=["x"], dynamic_axes={"x": {0: "n"}}, dynamo=False)
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    batch = images(3)
    (logits,) = session.run(None, {"x": batch.numpy()})
    assert logits == pytest.approx(network(batch).detach().numpy(), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("scar_cnn", {"input_size": 7}, "input_size 7 is too small for 3 stages"),
        ("scar_cnn", {"input_size": 48.0}, "input_size 48.0 is not a whole number"),
        ("scar_cnn", {"widths": [32, 0]}, r"widths\[1\] 0 is not a whole number"),
        ("scar_cnn", {"dropout": 2}, "dropout probability"),
        ("face_gate", {"input_size": 9}, "input_size 9 is too small"),
        ("swish_cnn", {"input_size": 29}, "input_size 29 is too small"),
        ("wide_cnn", {"input_hw": 48}, "input_hw 48 is not a list of 2"),
        ("wide_cnn", {"input_hw": [490, 8]}, "input_size 8 is too small"),
        ("tunable_cnn", {"activations": "relu"}, "activations 'relu' is not a list of 5"),
        ("tunable_cnn", {"activations": ["relu"] * 4}, "is not a list of 5"),
        ("tunable_cnn", {"activations": ["relu"] * 4 + ["gelu"]}, "activation 'gelu' is none of relu, elu, tanh"),
        ("tunable_cnn", {"widths": [32, 32, "64", 32, 32]}, r"widths\[2\] '64' is not a whole number"),
        ("tunable_cnn", {"widths": 32}, "widths 32 is not a list of 5"),
        ("tunable_cnn", {"initializer": "zeros"}, "initializer 'zeros' is none of glorot_uniform"),
        ("basic_cnn", {"num_classes": 0}, "num_classes 0 is not a whole number"),
        ("mini_xception", {"depth": 3}, "depth"),
    ],
)
def test_an_option_that_cannot_work_is_refused_in_one_line(name, options, words):
    with pytest.raises(ModelBundleError, match=f"architecture '{name}': .*{words}") as refusal:
        on_meta(name, **options)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("name", "side"), [("scar_cnn", 8), ("face_gate", 10), ("swish_cnn", 30), ("swish_cnn", 64)])
def test_a_flattened_head_fits_the_size_it_was_built_for(name, side):
    assert on_meta(name, input_size=side)(torch.empty(2, 1, side, side, device="meta")).shape[0] == 2


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ModelBundleError, match="no architecture 'vgg' to run with torch; known: .*mini_xception"):
        create_network("vgg")
