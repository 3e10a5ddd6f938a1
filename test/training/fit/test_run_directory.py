# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
from pathlib import Path

import pytest

from emotion_perception.core.errors import ModelBundleError
from emotion_perception.training.fit.run_directory import load_run
from emotion_perception.training.fit.run_start import check_same_run

# written by the version of November 2026, the recipe's options shortened
EARLIER_RUN = """{
  "recipe": {
    "architecture": "compact_vgg", "options": {"widths": [32, 64, 128, 384], "dropout": 0.3}, "initial": "compact_vgg",
    "labels": ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"], "data": {},
    "ignore_classes": [], "input_size": 48, "normalisation": "standardise", "pixel_mean": 0.0, "pixel_deviation": 0.0,
    "crop_margin": 0.04, "mirror_average": true, "seed": 11, "epochs": 96, "batch_size": 128, "optimizer": "sgd",
    "learning_rate": 0.1, "schedule": "cosine", "restarts": {"40": {"learning_rate": 0.05}}, "blend": 0.25,
    "momentum": 0.9, "weight_decay": 0.0005, "warmup_epochs": 2, "early_stopping": 0, "balance": "none",
    "targets": "label", "teacher": "", "teacher_weight": 0.5, "label_smoothing": 0.05, "mixup": 0.0,
    "vote_weight": 1.0, "ema_decay": 0.999, "sizes": {"0": 36, "64": 48}, "holdout": 0.1,
    "augmentation": {"flip": 0.5, "degrees": 12.0}
  },
  "data": "work/fer2013_validation.npz",
  "pictures_learnt": 23825,
  "train_split": "Training",
  "choose_split": "Validation",
  "started": "2026-11-26T14:26:39+00:00",
  "initial_sha256": "abc",
  "teacher_sha256": null,
  "torch": "2.13.0+cpu"
}
"""


def test_a_run_of_an_earlier_version_is_read(tmp_path):
    (tmp_path / "run.json").write_text(EARLIER_RUN)
    run = load_run(tmp_path)
    assert (run.data, run.num_train_images) == (Path("work/fer2013_validation.npz"), 23825)
    assert (run.train_split, run.val_split, run.started) == ("Training", "Validation", "2026-11-26T14:26:39+00:00")
    assert (run.pretrained_sha256, run.teacher_sha256, run.torch) == ("abc", None, "2.13.0+cpu")
    recipe = run.recipe
    assert (recipe.pretrained, recipe.normalization) == ("compact_vgg", "standardize")
    assert (recipe.soup_weight, recipe.calibration_fraction) == (0.25, 0.1)
    assert (recipe.restarts, recipe.sizes) == ({40: {"learning_rate": 0.05}}, {0: 36, 64: 48})
    assert check_same_run(tmp_path, run) == run


def test_a_run_is_written_with_present_keys(finished_run):
    written = json.loads((finished_run[0] / "run.json").read_text())
    assert list(written) == [
        "recipe",
        "data",
        "num_train_images",
        "train_split",
        "val_split",
        "started",
        "pretrained_sha256",
        "teacher_sha256",
        "data_sha256",
        "torch",
    ]
    assert written["data"] == str(finished_run[1])
    assert load_run(finished_run[0]).recipe.as_dict().keys() == written["recipe"].keys()


@pytest.mark.parametrize("missing", ["recipe", "data", "num_train_images", "train_split", "val_split", "started"])
def test_a_run_without_a_required_key_is_refused(finished_run, tmp_path, missing):
    written = json.loads((finished_run[0] / "run.json").read_text())
    del written[missing]
    (tmp_path / "run.json").write_text(json.dumps(written))
    with pytest.raises(ModelBundleError, match=f"run.json: not the description of a run .*{missing}"):
        load_run(tmp_path)
