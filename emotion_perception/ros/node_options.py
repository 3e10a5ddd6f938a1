# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The keyword arguments of rclpy's Node that the nodes of this package pass on."""

from collections.abc import Collection
from typing import TypedDict

from rclpy.context import Context
from rclpy.parameter import Parameter

from emotion_perception.ros.intra_process import IntraProcessTopics


class NodeOptions(TypedDict, total=False):
    """Keyword arguments of `rclpy.node.Node`, documented there."""

    cli_args: list[str] | None
    context: Context | None
    namespace: str | None
    parameter_overrides: list[Parameter] | None
    use_global_arguments: bool
    enable_rosout: bool
    start_parameter_services: bool


class PerceptionNodeOptions(NodeOptions, total=False):
    """Keyword arguments of `PerceptionNode`, documented there."""

    intra_process: IntraProcessTopics | None
    foreign_parameters: Collection[str]
