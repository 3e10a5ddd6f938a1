# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation of a model on a dataset: metrics, calibration, robustness, subgroups, report."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.training.evaluate.evaluator import evaluate, predict
    from emotion_perception.training.evaluate.robustness import measure_robustness
    from emotion_perception.training.evaluate.subgroup_metrics import measure_subgroups, read_subgroups
    from emotion_perception.training.evaluate.summary_metrics import measure
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "evaluator": (
                "evaluate",
                "predict",
            ),
            "robustness": ("measure_robustness",),
            "subgroup_metrics": (
                "measure_subgroups",
                "read_subgroups",
            ),
            "summary_metrics": ("measure",),
        },
    )

__all__ = ["evaluate", "measure", "measure_robustness", "measure_subgroups", "predict", "read_subgroups"]
