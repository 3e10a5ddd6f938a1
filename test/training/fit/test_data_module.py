# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from emotion_perception.core.classification import LABELS
from emotion_perception.core.classification.preprocessing import to_input
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.training.datasets import load_dataset
from emotion_perception.training.fit import distillation
from emotion_perception.training.fit.data_module import (
    DeviceBatches,
    EmotionDataModule,
    EpochSampler,
    FaceBatches,
)
from emotion_perception.training.fit.data_splits import DataSplits, downsample
from emotion_perception.training.fit.distillation import distillation_targets


@pytest.fixture
def rows(write_npz, tiny_recipe):
    data = load_dataset(write_npz(count=24))
    return data, FaceBatches(data, tiny_recipe().model_spec())


def test_a_batch_holds_the_networks_own_inputs(rows, tiny_recipe):
    data, faces = rows
    inputs, labels, targets, votes = faces.__getitems__([3, 0, 7])
    expected = np.stack([to_input(data.images[k], tiny_recipe().model_spec()) for k in (3, 0, 7)])
    assert np.array_equal(inputs.numpy(), expected)
    assert labels.tolist() == data.labels[[3, 0, 7]].tolist() == targets.argmax(1).tolist()
    assert votes.shape == (3, 10)


def test_labels_are_mapped_by_name_into_the_models_order(write_npz, tiny_recipe):
    names = np.array(["neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"])
    faces = FaceBatches(load_dataset(write_npz(count=14, class_names=names)), tiny_recipe().model_spec())
    assert faces.labels[:3].tolist() == [6, 0, 1]


def test_rows_kept_on_a_device_are_the_same_rows(rows):
    kept, asked = (source.__getitems__([5, 1]) for source in (DeviceBatches(rows[1], torch.device("cpu")), rows[1]))
    assert kept[0].dtype == torch.float16
    assert torch.allclose(kept[0].float(), asked[0], atol=2e-3)
    assert all(torch.equal(left, right) for left, right in zip(kept[1:], asked[1:], strict=True))


def orders(rows, epoch, **options):
    sampler = EpochSampler(rows, seed=3, **options)
    sampler.set_epoch(epoch)
    return list(sampler)


def test_an_epochs_order_depends_on_seed_and_epoch_alone(rows):
    assert orders(rows[1], 4) == orders(rows[1], 4)
    assert orders(rows[1], 4) != orders(rows[1], 5)
    assert sorted(orders(rows[1], 4)) == list(range(24))


@pytest.mark.parametrize("weights", [None, torch.ones(24, dtype=torch.float64)])
def test_processes_share_the_rows(rows, weights):
    parts = [orders(rows[1], 1, num_replicas=2, rank=rank, weights=weights) for rank in (0, 1)]
    assert [len(part) for part in parts] == [12, 12]
    if weights is None:
        assert sorted(parts[0] + parts[1]) == list(range(24))


def unequal(write_npz, count=80):
    """Three quarters are of the class 0."""
    labels = np.where(np.arange(count) % 4 < 3, 0, 1 + np.arange(count) % 3).astype(np.uint8)
    return load_dataset(write_npz(labels=labels, count=count, split=None, split_names=None))


def test_the_balanced_sampler_draws_every_class_equally(write_npz, tiny_recipe):
    recipe, data = tiny_recipe("balance=sampler", "batch_size=80"), unequal(write_npz)
    loader = EmotionDataModule(recipe, recipe.model_spec(), DataSplits(data, data, data)).train_dataloader()
    drawn = torch.zeros(7)
    for epoch in range(20):
        loader.sampler.set_epoch(epoch)
        for batch in loader:
            drawn += torch.bincount(batch[1], minlength=7)
    present = np.bincount(data.labels, minlength=7) > 0
    assert drawn[~torch.from_numpy(present)].sum() == 0
    assert drawn[torch.from_numpy(present)] / drawn.sum() == pytest.approx(1 / present.sum(), abs=0.05)


def test_the_balanced_loss_weighs_every_class_equally(write_npz, tiny_recipe):
    recipe, data = tiny_recipe("balance=loss"), unequal(write_npz)
    weights = EmotionDataModule(recipe, recipe.model_spec(), DataSplits(data, data, data)).class_weights(7)
    counts = np.bincount(data.labels, minlength=7)
    shares = weights.numpy() * counts
    assert shares[counts > 0] == pytest.approx(len(data) / (counts > 0).sum())


def test_downsampling_leaves_as_many_of_each_class(write_npz):
    data = unequal(write_npz)
    small = downsample(data, 1)
    counts = np.bincount(small.labels)
    assert set(counts[counts > 0].tolist()) == {int(min(np.bincount(data.labels)[np.unique(data.labels)]))}
    assert np.array_equal(downsample(data, 1).labels, small.labels)


@pytest.mark.parametrize(("processes", "steps"), [(1, 3), (2, 1)])
def test_the_steps_of_an_epoch_are_those_of_one_process(rows, tiny_recipe, processes, steps):
    recipe = tiny_recipe("batch_size=8")
    splits = DataSplits(rows[0], rows[0], rows[0])
    assert EmotionDataModule(recipe, recipe.model_spec(), splits).steps_per_epoch(processes) == steps


def test_a_teachers_probabilities_are_a_share_of_the_targets(write_npz, tiny_recipe, exported_model):
    data = load_dataset(write_npz(count=24))
    teacher = exported_model.bundle.weights
    recipe = tiny_recipe(f"teacher={teacher}", "teacher_weight=0.25")
    module = EmotionDataModule(recipe, recipe.model_spec(), DataSplits(data, data, data))
    batch = module.train_dataloader().dataset.__getitems__(range(24))
    taught = distillation_targets(data, recipe.labels, [str(teacher)])
    assert taught.sum(1) == pytest.approx(1, abs=1e-6)
    own = np.eye(7, dtype=np.float32)[data.labels_in(recipe.labels)]
    assert np.allclose(batch[2].numpy(), 0.75 * own + 0.25 * taught, atol=1e-6)


def test_a_teachers_probabilities_are_computed_once(write_npz, tiny_recipe, exported_model, tmp_path, monkeypatch):
    data, kept = load_dataset(write_npz(count=24)), tmp_path / "teacher.npz"
    models = [str(exported_model.bundle.weights)]
    first = distillation_targets(data, LABELS, models, kept=kept)
    with monkeypatch.context() as patch:
        patch.setattr(distillation, "create_classifier", None)
        assert (distillation_targets(data, LABELS, models, kept=kept) == first).all()
    other = data.select(np.arange(24)[::-1])
    assert np.allclose(distillation_targets(other, LABELS, models, kept=kept), first[::-1], atol=1e-5)
    for content in (b"", kept.read_bytes()[:-100], b"PK\x03\x04 and no more"):
        kept.write_bytes(content)
        assert np.allclose(distillation_targets(data, LABELS, models, kept=kept), first, atol=1e-6)


def test_of_several_teachers_the_mean_is_the_target(write_npz, exported_model):
    data = load_dataset(write_npz(count=12))
    models = [str(exported_model.bundle.weights), "compact_vgg"]
    one, other = (distillation_targets(data, LABELS, [model]) for model in models)
    assert np.abs(one - other).max() > 0.01
    assert np.allclose(distillation_targets(data, LABELS, models), (one + other) / 2, atol=1e-6)


def test_the_teachers_that_are_kept_with_the_training_runs_can_be_opened(write_npz):
    runs = Path(__file__).parents[3] / "docs" / "training_runs"
    teachers = sorted(path for path in runs.glob("*/*.safetensors"))
    assert teachers
    for teacher in teachers:
        assert distillation_targets(load_dataset(write_npz(count=3)), LABELS, [str(teacher)]).shape == (3, 7)


def test_a_teacher_leaves_the_number_of_threads_of_the_training(write_npz, exported_model, tmp_path):
    bundle, number = exported_model.bundle, torch.get_num_threads()
    for path in (bundle.weights, bundle.weights.with_suffix(".json")):
        shutil.copy(path, tmp_path)  # without ONNX, so that torch runs it
    description = tmp_path / f"{bundle.name}.json"
    description.write_text(json.dumps({**json.loads(description.read_text()), "onnx": None}))
    try:
        torch.set_num_threads(3)
        distillation_targets(load_dataset(write_npz(count=3)), LABELS, [str(tmp_path / bundle.weights.name)])
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(number)


def test_a_teacher_is_asked_about_the_networks_own_labels_alone(write_npz, exported_model):
    taught = distillation_targets(
        load_dataset(write_npz(count=24)), ("fear", "anger"), [str(exported_model.bundle.weights)]
    )
    assert taught.shape == (24, 2)
    assert taught.sum(1) == pytest.approx(1, abs=1e-6)


def test_a_teacher_that_lacks_a_label_is_refused(write_npz, exported_model):
    with pytest.raises(ConfigurationError, match="has no label contempt"):
        distillation_targets(
            load_dataset(write_npz(count=24)), ("fear", "contempt"), [str(exported_model.bundle.weights)]
        )
