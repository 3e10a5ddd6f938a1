# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A steady clock that a test sets."""


class Clock:
    """Returns `now_s` when it is called, as `time.monotonic` would."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s
