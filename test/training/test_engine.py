import numpy as np
import pytest
import torch

from emotion_perception.core.errors import CheckpointError, ConfigurationError
from emotion_perception.core.preprocessing import to_input
from emotion_perception.training.architectures import create_network, network_names
from emotion_perception.training.datasets import load_dataset
from emotion_perception.training.engine import EmotionTraining, make_loader
from emotion_perception.training.train import spec_of


def build(recipe, **options):
    return EmotionTraining(recipe, **{"num_classes": 7, "num_votes": 10, "steps_per_epoch": 5, **options})


def test_the_loader_gives_the_networks_own_inputs(write_npz, tiny_recipe):
    data, spec = load_dataset(write_npz(count=12)), spec_of(tiny_recipe())
    ((inputs, labels, votes),) = list(make_loader(data, spec, batch_size=100, shuffle=False))
    expected = np.stack([to_input(image, spec) for image in data.images])
    assert inputs.numpy() == pytest.approx(expected, abs=2e-3), "kept as float16"
    assert labels.tolist() == data.labels.tolist()
    assert votes.shape == (12, 10)


def test_labels_are_mapped_by_name_into_the_models_order(write_npz, tiny_recipe):
    names = np.array(["neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"])
    data = load_dataset(write_npz(count=14, class_names=names))
    ((_, labels, _),) = list(make_loader(data, spec_of(tiny_recipe()), batch_size=100, shuffle=False))
    assert labels[:3].tolist() == [6, 0, 1]


@pytest.mark.parametrize(("votes", "weight", "has_head"), [(10, 1.0, True), (0, 1.0, False), (10, 0.0, False)])
def test_the_second_head_exists_only_for_votes(tiny_recipe, votes, weight, has_head):
    module = build(tiny_recipe(f"vote_weight={weight}"), num_votes=votes)
    module.log = lambda *arguments, **options: None  # there is no trainer
    assert module.has_aux is has_head
    loss = module.training_step((torch.rand(4, 1, 16, 16), torch.arange(4), torch.zeros(4, votes)), 0)
    assert torch.isfinite(loss)


def test_pictures_are_scaled_to_the_size_of_the_epoch(tiny_recipe):
    assert build(tiny_recipe("sizes={0: 12}"))._resize(torch.rand(2, 1, 16, 16)).shape == (2, 1, 12, 12)
    assert build(tiny_recipe("sizes={}"))._resize(torch.rand(2, 1, 16, 16)).shape == (2, 1, 16, 16)


def test_only_matrices_decay(tiny_recipe):
    groups = build(tiny_recipe("weight_decay=0.1")).configure_optimizers()["optimizer"].param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert {parameter.ndim > 1 for parameter in groups[0]["params"]} == {True}
    assert {parameter.ndim for parameter in groups[1]["params"]} == {1}


def test_the_learning_rate_warms_up_and_ends_near_zero(tiny_recipe):
    configured = build(tiny_recipe("epochs=4", "warmup_epochs=1", "learning_rate=0.1")).configure_optimizers()
    schedule = configured["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(20):
        rates.append(schedule.get_last_lr()[0])
        configured["optimizer"].step()
        schedule.step()
    assert rates[0] < 0.01 < max(rates) == pytest.approx(0.1)
    assert rates.index(max(rates)) == 5
    assert rates[-1] < 0.002


def test_an_unknown_augmentation_is_refused(tiny_recipe):
    with pytest.raises(ConfigurationError, match="augmentation: .*blur"):
        build(tiny_recipe("augmentation={blur: 1}"))


@pytest.mark.parametrize(("name", "options"), [("none", {}), ("compact_vgg", {"depth": 3})])
def test_an_unknown_network_or_option_is_refused(name, options):
    with pytest.raises(CheckpointError, match="architecture"):
        create_network(name, **options)


@pytest.mark.parametrize("name", network_names())
def test_every_network_maps_pictures_to_logits(name):
    assert create_network(name, num_classes=5).eval()(torch.zeros(2, 1, 48, 48)).shape == (2, 5)
