# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Names that earlier versions used, and what each is called now.

Whoever gives an old name is told the new one in the line that refuses it; `docs/renamed.md` is made from these tables.
"""

from collections.abc import Mapping

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

CLI_OPTIONS: Mapping[str, str] = {"--choose-split": "--val-split"}
"""Options of `emotion-perception`'s sub-commands."""

RECIPE_KEYS: Mapping[str, str] = {
    "blend": "soup_weight",
    "holdout": "calibration_fraction",
    "initial": "pretrained",
    "normalisation": "normalization",
}
"""Keys of training recipes. Runs that were recorded with the old ones are still read."""

BENCHMARK_SECTIONS: Mapping[str, str] = {"growth": "scaling", "photon": "latency", "starting": "startup"}
"""Sections of `emotion-perception benchmark --only`, which is ONLY of `make bench`."""
