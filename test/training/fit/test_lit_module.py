# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import pytest
import torch

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.training.fit.distillation import Teacher
from emotion_perception.training.fit.lit_module import EmotionLitModule
from emotion_perception.training.recipe import load_recipe


def build(recipe, **options):
    return EmotionLitModule(recipe, recipe.model_spec(), **{"num_votes": 10, "steps_per_epoch": 5, **options})


@pytest.mark.parametrize(("votes", "weight", "has_head"), [(10, 1.0, True), (0, 1.0, False), (10, 0.0, False)])
def test_the_second_head_exists_only_for_votes(tiny_recipe, votes, weight, has_head):
    module = build(tiny_recipe(f"vote_weight={weight}"), num_votes=votes)
    module.log = lambda *arguments, **options: None  # there is no trainer
    assert module.has_aux is has_head
    loss = module.training_step((torch.rand(4, 1, 16, 16), torch.arange(4), torch.eye(7)[:4], torch.zeros(4, votes)), 0)
    assert torch.isfinite(loss)


@pytest.mark.parametrize("targets", ["label", "majority", "cross_entropy", "probability"])
def test_a_sure_target_costs_the_same_in_every_mode(tiny_recipe, targets):
    module = build(tiny_recipe(f"targets={targets}", "vote_weight=0.0", "sizes={}"))
    module.log = lambda *arguments, **options: None
    batch = (torch.rand(4, 1, 16, 16), torch.arange(4), torch.eye(7)[:4], torch.zeros(4, 0))
    torch.manual_seed(1)
    expected = torch.nn.functional.cross_entropy(module.network(batch[0]), batch[1], label_smoothing=0.05)
    assert module.training_step(batch, 0).item() == pytest.approx(expected.item(), abs=1e-4)


def test_a_teacher_of_views_gives_the_only_targets(tiny_recipe, exported_model):
    teacher = exported_model.bundle
    module = build(
        tiny_recipe(f"teacher={teacher.weights}", "teacher_weight=1", "teacher_views=true", "vote_weight=0", "sizes={}")
    )
    module.log = lambda *arguments, **options: None
    images = torch.rand(4, 1, teacher.spec.input_size, teacher.spec.input_size)
    wrong = torch.eye(7)[[0, 0, 0, 0]], torch.eye(7)[[6, 6, 6, 6]]
    losses = [module.training_step((images, torch.zeros(4), targets, torch.zeros(4, 0)), 0) for targets in wrong]
    assert losses[0].item() == pytest.approx(losses[1].item(), abs=1e-6)
    assert not [name for name in module.state_dict() if "teacher" in name]
    assert Teacher(str(teacher.weights), teacher.spec)(images).sum(1).numpy() == pytest.approx(1, abs=1e-5)


def test_a_teacher_of_views_takes_inputs_of_the_same_kind(tiny_recipe, exported_model):
    spec = replace(exported_model.bundle.spec, normalization="zero_one")
    with pytest.raises(ConfigurationError, match="teacher_views: normalization of .* is .*, the recipe has zero_one"):
        Teacher(str(exported_model.bundle.weights), spec)


def test_class_weights_scale_the_loss(tiny_recipe):
    loss = [
        build(tiny_recipe(), class_weights=weights)._label_loss(torch.ones(2, 7), torch.eye(7)[:2]).item()
        for weights in (None, torch.full((7,), 2.0))
    ]
    assert loss[1] == pytest.approx(2 * loss[0])


def test_images_are_scaled_to_the_size_of_the_epoch(tiny_recipe):
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


@pytest.mark.parametrize(("name", "kind"), [("sgd", "SGD"), ("adam", "Adam"), ("adamw", "AdamW")])
def test_the_optimizer_is_the_recipes(tiny_recipe, name, kind):
    assert type(build(tiny_recipe(f"optimizer={name}")).configure_optimizers()["optimizer"]).__name__ == kind


def test_an_unknown_augmentation_is_refused(tiny_recipe):
    with pytest.raises(ConfigurationError, match="augmentation: .*glitter"):
        build(tiny_recipe("restarts={1: {augmentation: {glitter: 1}}}"))


def test_votes_need_a_network_with_a_second_head():
    recipe = load_recipe("tunable_cnn", ["vote_weight=1"])
    assert not build(recipe, num_votes=0).has_aux
    with pytest.raises(ConfigurationError, match="vote_weight 1 needs a second head, which tunable_cnn has not: set"):
        build(recipe)
