# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options that the commands on recordings share."""

import argparse
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import yaml

from emotion_perception.core.config import ANONYMIZERS, ClassifierConfig, DetectionConfig
from emotion_perception.core.errors import ConfigurationError

if TYPE_CHECKING:
    from emotion_perception.bags.inference.settings import Settings


def add_recording_options(parser: argparse.ArgumentParser, *, hidden_in: str) -> None:
    """Describes the image topic, what chooses and tunes detector and classifier, and where faces are hidden."""
    parser.add_argument("--topic", help="image topic (default: the camera's)")
    parser.add_argument("--model", default=ClassifierConfig.model, help="shipped model or path (default: %(default)s)")
    parser.add_argument("--detector", default=DetectionConfig.detector, help="face detector (default: %(default)s)")
    parser.add_argument("--device", default=ClassifierConfig.device, help="auto, cpu, cuda[:N] (default: %(default)s)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a parameter of the detection or the classifier node, e.g. smoothing_s=0.5",
    )
    parser.add_argument(
        "--anonymize",
        nargs="?",
        const="blur",
        default="none",
        choices=ANONYMIZERS,
        help=f"hide faces in {hidden_in} (default: %(default)s; without a word: blur)",
    )


def settings_from(arguments: argparse.Namespace, **others: Any) -> "Settings":
    """Returns the settings that the options of `add_recording_options` describe.

    Raises:
        ConfigurationError: a parameter is unknown or refused.
    """
    from emotion_perception.bags.inference.settings import Settings

    values = _parse(arguments.set) | {"detector": arguments.detector}
    values |= {"model": arguments.model, "device": arguments.device}
    return Settings(
        detection=DetectionConfig(**_of(DetectionConfig, values)),
        classification=ClassifierConfig(**_of(ClassifierConfig, values)),
        topic=arguments.topic,
        anonymize=arguments.anonymize,
        **others,
    )


def _parse(given: Sequence[str]) -> dict[str, Any]:
    known = {field.name for config in (DetectionConfig, ClassifierConfig) for field in dataclasses.fields(config)}
    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            raise ConfigurationError(f"--set {text}: write KEY=VALUE, KEY one of {', '.join(sorted(known))}")
        try:
            values[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigurationError(f"--set {text}: '{value}' cannot be read") from None
    return values


def _of(config: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    """Returns the values that a configuration has a field for, whole numbers as floats where it wants those."""
    fields = {field.name: field.default for field in dataclasses.fields(config)}
    return {
        name: float(value) if type(fields[name]) is float and type(value) is int else value
        for name, value in values.items()
        if name in fields
    }
