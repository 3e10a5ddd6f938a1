# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options of face tracking."""

from dataclasses import dataclass

from emotion_perception.core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class TrackerOptions(Options):
    """How detections of consecutive frames are joined to tracks."""

    detection_interval: int = option(
        1,
        "run the detector on every n-th frame and move the faces by optical flow between; a lost face triggers it too",
        minimum=1,
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
