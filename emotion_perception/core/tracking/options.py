# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options of face tracking."""

from dataclasses import dataclass

from emotion_perception.core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class TrackerOptions(Options):
    """How detections of consecutive frames are joined to tracks."""

    detection_interval: int = option(
        0,
        "search the whole image in every n-th frame, and around each known face between; a lost face triggers a search "
        "too; 0 follows the time that a search takes, and a new face is found within a third of a second",
        minimum=0,
        maximum=30,
        live=True,
    )
    track_iou: float = option(
        0.3, "minimum overlap of a face with its track's predicted or last region", minimum=0.0, maximum=1.0, live=True
    )
    max_missed_s: float = option(
        1.0,
        "a track without detection for longer is removed, in seconds of stamp time",
        minimum=0.0,
        maximum=60.0,
        live=True,
    )
