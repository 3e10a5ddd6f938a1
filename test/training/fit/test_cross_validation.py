# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json

import numpy as np
import pytest

from emotion_perception.core.errors import DatasetError
from emotion_perception.training.fit.cross_validation import cross_validate
from emotion_perception.training.fit.hardware import Hardware

CPU = Hardware(device="cpu")


@pytest.fixture
def subjects(write_npz):
    """Returns a file with twelve persons, without splits."""
    return write_npz(subject=np.array([f"S{k % 12:03d}" for k in range(120)]), split=None, split_names=None, leak=None)


def test_every_image_is_measured_once_by_a_network_that_did_not_see_its_person(subjects, tiny_recipe, tmp_path):
    found = cross_validate(
        tiny_recipe("epochs=1"), subjects, tmp_path / "folds", num_folds=3, hardware=CPU, num_threads=1
    )
    assert found["pooled"]["n"] == 120 == sum(entry["n"] for entry in found["folds"])
    assert found["accuracy"] == pytest.approx(np.mean([entry["accuracy"] for entry in found["folds"]]), abs=1e-5)
    assert np.sum(found["pooled"]["confusion"]) == 120
    assert json.loads((tmp_path / "folds" / "folds.json").read_text()) == json.loads(json.dumps(found))
    counts = [
        json.loads((tmp_path / "folds" / f"fold_{k}" / "run.json").read_text())["num_train_images"] for k in range(3)
    ]
    assert sum(counts) == 2 * 120


def test_finished_folds_are_not_trained_again(subjects, tiny_recipe, tmp_path):
    recipe = tiny_recipe("epochs=1")
    first = cross_validate(recipe, subjects, tmp_path / "folds", num_folds=2, hardware=CPU, num_threads=1)
    written = (tmp_path / "folds" / "fold_0" / "last.ckpt").stat().st_mtime_ns
    again = cross_validate(recipe, subjects, tmp_path / "folds", num_folds=2, hardware=CPU, num_threads=1)
    assert (tmp_path / "folds" / "fold_0" / "last.ckpt").stat().st_mtime_ns == written
    assert again["pooled"] == first["pooled"]


def test_without_resuming_no_fold_of_an_earlier_run_stays(subjects, tiny_recipe, tmp_path):
    recipe, out = tiny_recipe("epochs=1"), tmp_path / "folds"
    cross_validate(recipe, subjects, out, num_folds=3, hardware=CPU, num_threads=1)
    cross_validate(recipe, subjects, out, num_folds=2, hardware=CPU, num_threads=1, resume=False)
    assert sorted(path.name for path in out.glob("fold_*")) == ["fold_0", "fold_1"]


def test_a_fold_without_an_image_to_train_on_is_one_line(write_npz, tiny_recipe, tmp_path):
    blank = write_npz(images=np.zeros((120, 16, 16), np.uint8), split=None, split_names=None, leak=None)
    with pytest.raises(DatasetError, match=r"fold 1 of 2: 0 training and \d+ validation images"):
        cross_validate(tiny_recipe("epochs=1"), blank, tmp_path / "folds", num_folds=2, hardware=CPU, num_threads=1)


def test_one_fold_is_refused(subjects, tiny_recipe, tmp_path):
    with pytest.raises(DatasetError, match="needs at least 2 folds, not 1"):
        cross_validate(tiny_recipe(), subjects, tmp_path / "folds", num_folds=1, hardware=CPU)
