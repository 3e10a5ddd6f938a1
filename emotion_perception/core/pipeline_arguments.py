# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command-line options of the pipeline, which all commands without ROS share."""

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
    from emotion_perception.core.pipeline import PipelineOptions

_OPTIONS = ("baseline", "detector", "device", "model")  # parameters with an option of their own
_REPRODUCIBLE = {"precision": "float32", "detection_interval": 1}  # neither is auto: the same on every machine
PIPELINE_OPTIONS = {
    "model": ClassifierOptions.model,
    "detector": DetectorOptions.detector,
    "device": ClassifierOptions.device,
    "baseline": RecognizerOptions.baseline,
    "set": [],
}
"""The options of the pipeline, with their defaults."""


def add_pipeline_options(parser: argparse.ArgumentParser, *, reproducible: str = "") -> None:
    """Adds the options of detection, tracking and classification.

    Args:
        parser: parser of the command.
        reproducible: for which inputs `pipeline_options_from` is called with `reproducible`, for the help.
    """
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
        f"precision is float32 and detection_interval 1 unless they are given{reproducible}",
    )
    parser.add_argument(
        "--baseline",
        nargs="?",
        const="auto",
        default=RecognizerOptions.baseline,
        choices=("off", "on_request", "auto"),
        help="read expressions relative to each face at rest (default: %(default)s; without a value: auto)",
    )


def add_anonymize_option(parser: argparse.ArgumentParser, *, hidden_in: str) -> None:
    """Adds the option `--anonymize`; `hidden_in` is the output in which faces are hidden, for the help."""
    parser.add_argument(
        "--anonymize",
        nargs="?",
        const="blur",
        default="none",
        choices=ANONYMIZERS,
        help=f"hide faces in {hidden_in} (default: %(default)s; without a value: blur)",
    )


def pipeline_options_from(arguments: argparse.Namespace, *, reproducible: bool) -> "PipelineOptions":
    """Returns the options of all stages for parsed options of `add_pipeline_options`.

    Args:
        arguments: the parsed command line.
        reproducible: whether the same images give the same results on every machine, unless `--set` says otherwise.

    Raises:
        ConfigurationError: a parameter is unknown, or its value is not allowed.
    """
    from emotion_perception.core.pipeline import PipelineOptions

    values = (_REPRODUCIBLE if reproducible else {}) | _parse(arguments.set)
    values |= {name: getattr(arguments, name) for name in _OPTIONS}
    return with_values(PipelineOptions(), values)


def refuse_without_effect(arguments: argparse.Namespace, defaults: Mapping[str, Any], reason: str) -> None:
    """Raises ConfigurationError if one of some options has another value than its default.

    Args:
        arguments: the parsed command line.
        defaults: the options, without dashes, and their defaults.
        reason: why they have no effect, for the message.
    """
    for name, default in defaults.items():
        if getattr(arguments, name) != default:
            raise ConfigurationError(f"--{name.replace('_', '-')} has no effect: {reason}")


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
