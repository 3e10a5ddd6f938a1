# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options that evaluate-bag and label-bag share."""

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emotion_perception.core.classification import ClassifierOptions, RecognizerOptions
from emotion_perception.core.detection import DetectorOptions
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.options import option_fields, with_values
from emotion_perception.core.rendering import ANONYMIZERS
from emotion_perception.core.retired_names import PARAMETERS
from emotion_perception.core.yaml_values import as_type, parse_key_values

if TYPE_CHECKING:
    from emotion_perception.bags.inference.settings import Settings


_OPTIONS = ("baseline", "detector", "device", "model")  # parameters with an option of their own
PIPELINE_OPTIONS = {
    "model": ClassifierOptions.model,
    "detector": DetectorOptions.detector,
    "device": ClassifierOptions.device,
    "baseline": RecognizerOptions.baseline,
    "set": [],
}
"""The options of the pipeline, with their defaults."""


def add_recording_options(parser: argparse.ArgumentParser, *, hidden_in: str) -> None:
    """Adds the options for the image topic, the pipeline and anonymization.

    Args:
        parser: parser of the command.
        hidden_in: the output in which `--anonymize` hides faces, for the help.
    """
    add_topic_option(parser)
    parser.add_argument(
        "--model", default=ClassifierOptions.model, help="name of a shipped model, or path (default: %(default)s)"
    )
    parser.add_argument("--detector", default=DetectorOptions.detector, help="face detector (default: %(default)s)")
    parser.add_argument(
        "--device",
        default=ClassifierOptions.device,
        help="auto, cpu, cuda or cuda:N; a GPU that is named must be there (default: %(default)s)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="parameter of the detection or classifier node, e.g. smoothing_s=0.5; can be given several times; "
        "precision is float32 and detection_interval 1 unless they are given",
    )
    parser.add_argument(
        "--baseline",
        nargs="?",
        const="auto",
        default=RecognizerOptions.baseline,
        choices=("off", "on_request", "auto"),
        help="read expressions relative to each face at rest (default: %(default)s; without a value: auto)",
    )
    parser.add_argument(
        "--anonymize",
        nargs="?",
        const="blur",
        default="none",
        choices=ANONYMIZERS,
        help=f"hide faces in {hidden_in} (default: %(default)s; without a value: blur)",
    )


def add_topic_option(parser: argparse.ArgumentParser) -> None:
    """Adds the option for the image topic."""
    parser.add_argument("--topic", type=_topic, help="image topic (default: the camera's)")


def refuse_without_effect(arguments: argparse.Namespace, defaults: Mapping[str, Any], reason: str) -> None:
    """Raises ConfigurationError if one of some options has another value than its default.

    Args:
        arguments: the parsed command line.
        defaults: the options, without dashes, and their defaults.
        reason: why they have no effect, for the message.
    """
    for name, default in defaults.items():
        if getattr(arguments, name) != default:
            raise ConfigurationError(f"--{name} has no effect: {reason}")


def settings_from(arguments: argparse.Namespace, **others: Any) -> "Settings":
    """Returns the settings for parsed options of `add_recording_options`.

    Args:
        arguments: the parsed command line.
        others: further fields of the settings.

    Raises:
        ConfigurationError: a parameter is unknown, its value is not allowed, or a GPU is named that cannot be used.
    """
    from emotion_perception.bags.inference.settings import Settings
    from emotion_perception.core.inference.devices import choose_device
    from emotion_perception.core.pipeline import PipelineOptions

    elsewhere = getattr(arguments, "scheduler", None)  # on machines with other devices
    if others.get("mode") != "recorded" and not elsewhere:
        choose_device(arguments.device)
    # neither is auto: a recording has the same report on every machine
    values = (
        {"precision": "float32", "detection_interval": 1} | _parse(arguments.set) | {"detector": arguments.detector}
    )
    values |= {"model": arguments.model, "device": arguments.device, "baseline": arguments.baseline}
    return Settings(
        pipeline=with_values(PipelineOptions(), values),
        topic=arguments.topic,
        anonymize=arguments.anonymize,
        **others,
    )


def _topic(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of a topic is empty")
    return text


def _parse(assignments: Sequence[str]) -> dict[str, Any]:
    """Returns the values of `--set KEY=VALUE` in the types of the options."""
    from emotion_perception.core.pipeline import PipelineOptions

    defaults = {field.name: field.default for field in option_fields(PipelineOptions)}
    values = parse_key_values(assignments, "--set")
    for name, value in values.items():
        if name in PARAMETERS:
            raise ConfigurationError(f"--set {name} is now called {PARAMETERS[name]}")
        if name in _OPTIONS:
            raise ConfigurationError(f"--set {name}: use --{name}")
        if name not in defaults:
            raise ConfigurationError(
                f"--set {name}: unknown, known are {', '.join(sorted(defaults.keys() - set(_OPTIONS)))}"
            )
        values[name] = as_type(value, type(defaults[name]))
    return values
