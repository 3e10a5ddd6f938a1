# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""An end that comes even where the middleware never comes back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

LEAVE_S = 3.0


@contextmanager
def shutdown_watchdog() -> Iterator[None]:
    """Ends the process by SIGALRM where the block, which lets the middleware go, has taken three seconds.

    Fast DDS can stay in the destruction of a participant for ever, in C++ and with Python's lock held, so that nothing
    in Python would notice (docs/guarantees.md, "The end of a process"). By then this process has done its work.
    """
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, LEAVE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
