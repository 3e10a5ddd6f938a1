# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import dataclasses
from dataclasses import dataclass, field

import pytest

from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.classification.options import ClassifierOptions, RecognizerOptions
from emotion_perception.core.detection.options import DETECTORS, DetectorOptions
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.options import Options, limits_of, option, option_fields, option_values, with_values
from emotion_perception.core.rendering.options import OverlayOptions
from emotion_perception.core.tracking.options import TrackerOptions
from emotion_perception.ros.config import (
    CameraNodeConfig,
    ClassifierNodeConfig,
    DetectionNodeConfig,
    OverlayNodeConfig,
    PlayerConfig,
    RecorderConfig,
)

STAGES = (CameraOptions, DetectorOptions, TrackerOptions, ClassifierOptions, RecognizerOptions, OverlayOptions)
NODES = (CameraNodeConfig, DetectionNodeConfig, ClassifierNodeConfig, OverlayNodeConfig, PlayerConfig, RecorderConfig)


@dataclass(frozen=True, kw_only=True)
class Inner(Options):
    size: int = option(3, "a size", minimum=1, maximum=9)
    threads: int = option(1, "threads")


@dataclass(frozen=True, kw_only=True)
class Other(Options):
    threads: int = option(2, "threads")


@dataclass(frozen=True, kw_only=True)
class Outer(Options):
    name: str = option("a", "a name")
    inner: Inner = field(default_factory=Inner)
    other: Other = field(default_factory=Other)
    topics: tuple[str, ...] = option(("x",), "topics")


@pytest.mark.parametrize("options", [*STAGES, *NODES])
def test_every_option_has_a_description_and_a_default_within_its_limits(options):
    for one in option_fields(options):
        assert limits_of(one).description
        assert limits_of(one).violation(one.name, one.default) is None


@pytest.mark.parametrize("options", [*STAGES, *NODES])
def test_every_number_has_a_range(options):
    for one in option_fields(options):
        if type(one.default) in (int, float):
            assert limits_of(one).minimum is not None, one.name
            assert limits_of(one).maximum is not None, one.name


@pytest.mark.parametrize("config", NODES)
def test_no_parameter_of_a_node_occurs_twice(config):
    names = [one.name for one in option_fields(config)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("options", "values", "line"),
    [
        (DetectorOptions, {"score_threshold": 1.5}, "score_threshold 1.5 is above 1.0"),
        (ClassifierNodeConfig, {"image_topics": ()}, "image_topics .* is empty or has a duplicate"),
        (DetectorOptions, {"max_faces": 0}, "max_faces 0 is below 1"),
        (DetectorOptions, {"detector": "dog"}, f"detector 'dog' is none of {', '.join(DETECTORS)}"),
        (CameraOptions, {"framerate": 30}, "framerate 30 is of type int, expected float"),
        (RecognizerOptions, {"smoothing_s": float("nan")}, "smoothing_s nan is below 0.0"),
        (Outer, {"inner": Other()}, "is of type Other, expected Inner"),
    ],
)
def test_a_bad_value_is_refused_with_the_reason(options, values, line):
    with pytest.raises(ConfigurationError, match=line):
        options(**values)


def test_contained_options_stand_in_their_place():
    assert [one.name for one in option_fields(Outer)] == ["name", "size", "threads", "threads", "topics"]
    assert option_values(Outer(inner=Inner(size=5))) == {"name": "a", "size": 5, "threads": 2, "topics": ("x",)}


def test_values_reach_contained_options_and_the_original_stays():
    before = Outer()
    after = with_values(before, {"size": 7, "name": "b", "threads": 4, "use_sim_time": True})
    assert after == Outer(name="b", inner=Inner(size=7, threads=4), other=Other(threads=4))
    assert before == Outer()


def test_a_bad_value_of_a_contained_option_is_refused():
    with pytest.raises(ConfigurationError, match="size 0 is below 1"):
        with_values(Outer(), {"size": 0})


@pytest.mark.parametrize("options", [*STAGES, *NODES])
def test_options_cannot_be_changed(options):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(options(), next(option_fields(options)).name, None)
