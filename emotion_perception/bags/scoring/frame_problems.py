# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the frames of a recording: images that cannot be processed, and stamps that are no times."""

from collections.abc import Iterator

import numpy as np

from emotion_perception.bags.inference.frame_result import FAILED, NO_IMAGE, PROCESSED, UNDECODABLE
from emotion_perception.bags.scoring.tables import FrameTable

_STATUSES = {
    UNDECODABLE: "cannot be decoded",
    FAILED: "failed",
    NO_IMAGE: "did not reach the classifier while the recording was made",
}


def frame_problems(frames: FrameTable, recorded: int) -> Iterator[str]:
    """Yields a line for each kind of problem of the frames of one recording.

    Args:
        frames: its frames.
        recorded: number of images that the recording declares; 0 if it has none.
    """
    count = len(frames.bag)
    if recorded and count != recorded:
        yield f"{count} images were read, {recorded} are declared"
    for status, what in _STATUSES.items():
        selected = frames.status == status
        if selected.any():
            reason = next((text for text in frames.problem[selected].tolist() if text), "")
            yield f"{selected.sum()} of {count} images {what}{reason and f', the first: {reason}'}"
    if count and not (frames.status == PROCESSED).any():
        yield "no image was processed, so the report says nothing about faces"
    stamps = stamp_counts(frames)
    for key, what in (("equal", "equal the stamp before"), ("backward", "go backward"), ("zero", "are zero")):
        if stamps[f"stamps_{key}"]:
            yield f"{stamps[f'stamps_{key}']} of {count} stamps {what}"


def stamp_counts(frames: FrameTable) -> dict[str, int]:
    """Counts stamps_equal (to the one before), stamps_backward and stamps_zero; of zero stamps only the last.

    Images that cannot be decoded are left out: a damaged one has the stamp of another.
    """
    decoded = frames.status != UNDECODABLE
    stamp_ns, bag = frames.stamp_ns[decoded], frames.bag[decoded]
    steps, same_bag = np.diff(stamp_ns), np.diff(bag) == 0
    zero = stamp_ns == 0
    return {
        "stamps_equal": int(((steps == 0) & same_bag & ~zero[1:]).sum()),
        "stamps_backward": int(((steps < 0) & same_bag).sum()),
        "stamps_zero": int(zero.sum()),
    }
