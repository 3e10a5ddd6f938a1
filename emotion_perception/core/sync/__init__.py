# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Joining of images and results by equal stamps, and queues between threads."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.sync.byte_queue import ByteQueue
    from emotion_perception.core.sync.exact_time_sync import ExactTimeSync
    from emotion_perception.core.sync.image_result_sync import ImageResultSync
    from emotion_perception.core.sync.latest_frame import MAX_WAITING, LatestFrameWorker
    from emotion_perception.core.sync.playback_clock import PlaybackClock
    from emotion_perception.core.sync.stamp_order import StampOrder
    from emotion_perception.core.sync.work_load import WorkLoad
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "byte_queue": ("ByteQueue",),
            "exact_time_sync": ("ExactTimeSync",),
            "image_result_sync": ("ImageResultSync",),
            "latest_frame": ("MAX_WAITING", "LatestFrameWorker"),
            "playback_clock": ("PlaybackClock",),
            "stamp_order": ("StampOrder",),
            "work_load": ("WorkLoad",),
        },
    )

__all__ = [
    "MAX_WAITING",
    "ByteQueue",
    "ExactTimeSync",
    "ImageResultSync",
    "LatestFrameWorker",
    "PlaybackClock",
    "StampOrder",
    "WorkLoad",
]
