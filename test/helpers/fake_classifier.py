# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Classifiers for tests: one that always says the same, and one that sees how bright a face is."""

import numpy as np

from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.classification.precision import Precision
from emotion_perception.core.types import ModelInfo


class GladClassifier:
    """Calls every crop glad."""

    labels = ("glad", "sad")
    spec = ModelSpec(architecture="fake", labels=labels)
    model_name, device, fallback, device_problem = "fake", "cpu", False, ""
    precision = Precision("float32")
    resting_head = None

    @property
    def info(self):
        return ModelInfo(self.labels, "fake", "cd" * 32, self.device, self.fallback)

    def warm_up(self, *, require_gpu):
        pass

    def classify(self, crops):
        return np.tile(np.array([0.9, 0.1], np.float32), (len(crops), 1))


class BrightnessClassifier(GladClassifier):
    """Calls crops glad with their brightness (0..1) as the probability; fails on images that are all white."""

    spec = ModelSpec(architecture="fake", labels=GladClassifier.labels, crop_margin=0.0)

    def classify(self, crops):
        if any(crop.min() == 255 for crop in crops):
            raise RuntimeError("blinded")
        glad = np.array([crop.mean() / 255 for crop in crops], np.float32).reshape(-1)
        return np.stack((glad, 1 - glad), axis=1)
