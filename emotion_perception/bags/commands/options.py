# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options that evaluate-bag and label-bag share."""

import argparse
from typing import TYPE_CHECKING, Any

from emotion_perception.core.pipeline_arguments import (
    add_anonymize_option,
    add_pipeline_options,
    pipeline_options_from,
)

if TYPE_CHECKING:
    from emotion_perception.bags.inference.settings import Settings


def add_recording_options(parser: argparse.ArgumentParser, *, hidden_in: str) -> None:
    """Adds the options for the image topic, the pipeline and anonymization.

    Args:
        parser: parser of the command.
        hidden_in: the output in which `--anonymize` hides faces, for the help.
    """
    add_topic_option(parser)
    add_pipeline_options(parser)
    add_anonymize_option(parser, hidden_in=hidden_in)


def add_topic_option(parser: argparse.ArgumentParser) -> None:
    """Adds the option for the image topic."""
    parser.add_argument("--topic", type=_topic, help="image topic (default: the camera's)")


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

    elsewhere = getattr(arguments, "scheduler", None)  # on machines with other devices
    if others.get("mode") != "recorded" and not elsewhere:
        choose_device(arguments.device)
    return Settings(
        pipeline=pipeline_options_from(arguments, reproducible=True),
        topic=arguments.topic,
        anonymize=arguments.anonymize,
        **others,
    )


def _topic(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of a topic is empty")
    return text
