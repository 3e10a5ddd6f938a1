# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation of a model on a dataset: metrics, calibration, robustness, subgroups, report."""

from typing import TYPE_CHECKING

from emotion_perception.training.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from emotion_perception.training.evaluate.evaluator import evaluate, predict
    from emotion_perception.training.evaluate.robustness import measure_robustness
    from emotion_perception.training.evaluate.subgroup_metrics import measure_subgroups, read_subgroups
    from emotion_perception.training.evaluate.summary_metrics import measure

__all__ = ["evaluate", "measure", "measure_robustness", "measure_subgroups", "predict", "read_subgroups"]
__getattr__ = lazy_exports(
    __name__,
    {
        "evaluate": "evaluator",
        "measure": "summary_metrics",
        "measure_robustness": "robustness",
        "measure_subgroups": "subgroup_metrics",
        "predict": "evaluator",
        "read_subgroups": "subgroup_metrics",
    },
)
