# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training: data splits, data module, Lightning module, training loop, run directory, cross-validation."""

from typing import TYPE_CHECKING

from emotion_perception.training.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from emotion_perception.training.fit.cross_validation import cross_validate
    from emotion_perception.training.fit.data_splits import DataSplits, split_data
    from emotion_perception.training.fit.hardware import Hardware
    from emotion_perception.training.fit.run_directory import TrainingRun, load_run
    from emotion_perception.training.fit.training_loop import fit, train

__all__ = ["DataSplits", "Hardware", "TrainingRun", "cross_validate", "fit", "load_run", "split_data", "train"]
__getattr__ = lazy_exports(
    __name__,
    {
        "DataSplits": "data_splits",
        "Hardware": "hardware",
        "TrainingRun": "run_directory",
        "cross_validate": "cross_validation",
        "fit": "training_loop",
        "load_run": "run_directory",
        "split_data": "data_splits",
        "train": "training_loop",
    },
)
