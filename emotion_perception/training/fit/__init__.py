# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training: data splits, data module, Lightning module, training loop, run directory, cross-validation."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.training.fit.cross_validation import cross_validate
    from emotion_perception.training.fit.data_splits import DataSplits, split_data
    from emotion_perception.training.fit.hardware import Hardware
    from emotion_perception.training.fit.run_directory import TrainingRun, load_run
    from emotion_perception.training.fit.training_loop import fit, train
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "cross_validation": ("cross_validate",),
            "data_splits": (
                "DataSplits",
                "split_data",
            ),
            "hardware": ("Hardware",),
            "run_directory": (
                "TrainingRun",
                "load_run",
            ),
            "training_loop": (
                "fit",
                "train",
            ),
        },
    )

__all__ = ["DataSplits", "Hardware", "TrainingRun", "cross_validate", "fit", "load_run", "split_data", "train"]
