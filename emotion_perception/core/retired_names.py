# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Names that earlier versions used, and what each is called now.

The error message for an old name contains the new one; `docs/renamed.md` is written from these tables.
"""

from collections.abc import Mapping
from typing import Any

PARAMETERS: Mapping[str, str] = {
    "detect_every": "detection_interval",
    "match_depth": "sync_queue_size",
    "max_batch": "max_batch_size",
    "max_wait_ms": "max_queue_delay_ms",
    "time_share": "max_load",
    "uncertain_below": "min_confidence",
    "verifier": "non_face_filter",
    "verifier_threshold": "non_face_threshold",
}
"""ROS parameters of the nodes; options of `evaluate-bag` and `label-bag` have the same names with dashes."""

CLI_COMMANDS: Mapping[str, str] = {"quantise": "quantize"}
"""Sub-commands of `emotion-perception`."""

CLI_OPTIONS: Mapping[str, str] = {
    "--choose-split": "--val-split",
    "--groups": "--subgroups",
    "--shortest-s": "--min-duration",
    "--uncertain-below": "--min-confidence",
}
"""Options of `emotion-perception`'s sub-commands."""

RECIPE_KEYS: Mapping[str, str] = {
    "blend": "soup_weight",
    "holdout": "calibration_fraction",
    "initial": "pretrained",
    "normalisation": "normalization",
}
"""Keys of training recipes. Runs and models that were recorded with the old ones are still read."""

RECIPE_VALUES: Mapping[str, Mapping[str, str]] = {"normalization": {"standardise": "standardize"}}
"""Values of a key of a recipe or of a model's spec, by the key's present name; recorded ones are still read."""

MODEL_SPEC_KEYS: Mapping[str, str] = {"normalisation": "normalization"}
"""Keys of `spec` in a model's description; files with the old ones are still read."""

RUN_KEYS: Mapping[str, str] = {
    "choose_split": "val_split",
    "initial_sha256": "pretrained_sha256",
    "pictures_learnt": "num_train_images",
}
"""Keys of a training run's `run.json`; files with the old ones are still read."""

MODEL_DATA_KEYS: Mapping[str, str] = {
    "epoch_chosen_on": "epoch_selected_on",
    "hyper_parameters_chosen_on": "hyperparameters_selected_on",
    "kept_apart_for_calibration": "num_calibration_images",
    "learnt_from": "train_split",
    "pictures_learnt": "num_train_images",
}
"""Keys of `metadata.data` in a model's description; files with the old ones are still read."""

REPORT_KEYS: Mapping[str, str] = {"groups": "subgroups", "limits": "limitations"}
"""Keys of the `report.json` that `emotion-perception evaluate` writes; files with the old ones are still read."""

BENCHMARK_SECTIONS: Mapping[str, str] = {"growth": "scaling", "photon": "latency", "starting": "startup"}
"""Sections of `emotion-perception benchmark --only`, which is ONLY of `make bench`."""


def with_present_names(
    values: Mapping[str, Any], keys: Mapping[str, str], choices: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, Any]:
    """Returns recorded values under the present names of their keys.

    Args:
        values: as they were read from a file.
        keys: old key -> present one, one of the tables above; other keys keep their names.
        choices: present key -> old value -> present one, as `RECIPE_VALUES`.
    """
    renamed = {keys.get(key, key): value for key, value in values.items()}
    for key, present in (choices or {}).items():
        if isinstance(renamed.get(key), str):
            renamed[key] = present.get(renamed[key], renamed[key])
    return renamed
