# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import dataclasses

import pytest

from emotion_perception.core.config import CameraConfig, ClassifierConfig, DetectionConfig, OverlayConfig
from emotion_perception.core.errors import ConfigurationError

CONFIGS = (CameraConfig, DetectionConfig, ClassifierConfig, OverlayConfig)


@pytest.mark.parametrize("config", CONFIGS)
def test_every_parameter_has_a_description_and_a_default_within_its_limits(config):
    for field in dataclasses.fields(config()):
        limits = field.metadata["limits"]
        assert limits.description
        assert limits.refusal(field.name, field.default) is None


@pytest.mark.parametrize("config", CONFIGS)
def test_every_number_has_a_range(config):
    for field in dataclasses.fields(config):
        if type(field.default) in (int, float):
            limits = field.metadata["limits"]
            assert limits.minimum is not None, field.name
            assert limits.maximum is not None, field.name


@pytest.mark.parametrize(
    ("config", "values", "line"),
    [
        (DetectionConfig, {"score_threshold": 1.5}, "score_threshold 1.5 is above 1.0"),
        (ClassifierConfig, {"image_topics": ()}, "image_topics .* is empty or names one twice"),
        (DetectionConfig, {"max_faces": 0}, "max_faces 0 is below 1"),
        (DetectionConfig, {"detector": "dog"}, "detector 'dog' is none of centerface, yunet, mtcnn, haar"),
        (CameraConfig, {"framerate": 30}, "framerate 30 is a int, not a float"),
        (ClassifierConfig, {"smoothing_s": float("nan")}, "smoothing_s nan is below 0.0"),
    ],
)
def test_a_bad_value_is_refused_with_the_reason(config, values, line):
    with pytest.raises(ConfigurationError, match=line):
        config(**values)
