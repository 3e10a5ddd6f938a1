# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options of positions and head poses."""

from dataclasses import dataclass

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class PeopleOptions(Options):
    """What is computed for each face beside its track, and when a face counts as turned to the camera."""

    positions: bool = option(True, "compute the position of each face in the camera's frame, where the camera is known")
    head_pose: bool = option(True, "compute yaw, pitch and roll of each head, where the detector has landmarks")
    head_pose_smoothing_s: float = option(
        0.15,
        "time constant of the smoothed head pose, in seconds of stamp time; 0 is off",
        minimum=0.0,
        maximum=10.0,
        live=True,
    )
    facing_angle_deg: float = option(
        20.0,
        "a face faces the camera when the angle between where its head points and the camera is below this, in degrees",
        minimum=0.0,
        maximum=90.0,
        live=True,
    )
    facing_lost_angle_deg: float = option(
        30.0,
        "it faces the camera until that angle is above this, in degrees; not below facing_angle_deg",
        minimum=0.0,
        maximum=90.0,
        live=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.facing_lost_angle_deg < self.facing_angle_deg:
            text = f"facing_lost_angle_deg {self.facing_lost_angle_deg} is below facing_angle_deg"
            raise ConfigurationError(f"{text} {self.facing_angle_deg}")
