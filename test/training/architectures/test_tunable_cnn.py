# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E402 (the imports below need torch)
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the networks cannot be built")

from emotion_perception.training.architectures.tunable_cnn import TunableCNN

WIDTHS = [8, 16, 8, 16, 8]


def layers(network, *kinds):
    return [layer for layer in network if isinstance(layer, kinds)]


def test_each_layer_has_its_own_activation_and_width():
    network = TunableCNN(activations=["relu", "elu", "tanh", "elu", "relu"], widths=WIDTHS)
    kinds = [type(layer) for layer in layers(network, torch.nn.ReLU, torch.nn.ELU, torch.nn.Tanh)]
    assert kinds == [torch.nn.ReLU, torch.nn.ELU, torch.nn.Tanh, torch.nn.ELU, torch.nn.ReLU]
    assert [layer.out_channels for layer in layers(network, torch.nn.Conv2d)] == WIDTHS


def test_dropout_and_normalization_are_as_asked():
    network = TunableCNN(widths=WIDTHS, dropout=0.4, batch_norm=False)
    assert [layer.p for layer in layers(network, torch.nn.Dropout)] == [0.4] * 5
    assert layers(network, torch.nn.BatchNorm2d) == []
    assert len(layers(TunableCNN(widths=WIDTHS), torch.nn.BatchNorm2d)) == 5


@pytest.mark.parametrize(
    ("initializer", "deviation"),  # of a 3x3 convolution from 64 to 32 channels
    [
        ("glorot_uniform", (2 / (9 * 96)) ** 0.5),
        ("glorot_normal", (2 / (9 * 96)) ** 0.5),
        ("he_uniform", (2 / (9 * 64)) ** 0.5),
        ("he_normal", (2 / (9 * 64)) ** 0.5),
        ("orthogonal", (1 / (9 * 64)) ** 0.5),
    ],
)
def test_the_initializer_sets_the_spread_of_the_weights(initializer, deviation):
    torch.manual_seed(0)
    network = TunableCNN(widths=[64, 32, 8, 8, 8], initializer=initializer)
    convolution = layers(network, torch.nn.Conv2d)[1]
    assert convolution.weight.std().item() == pytest.approx(deviation, rel=0.03)
    assert not convolution.bias.any()
