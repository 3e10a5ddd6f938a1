# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ends a process whose middleware does not return from its destruction."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

SHUTDOWN_TIMEOUT_S = 3.0


@contextmanager
def shutdown_watchdog(timeout_s: float = SHUTDOWN_TIMEOUT_S) -> Iterator[None]:
    """Ends the process by SIGALRM if the block, which shuts the middleware down, takes longer than the timeout.

    Fast DDS can hang in the destruction of a participant, in C++ and holding Python's interpreter lock, so nothing
    written in Python would notice (docs/architecture.md, "Shutdown"). By then the process has done its work.
    To be used in the main thread.
    """
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
