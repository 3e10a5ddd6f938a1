# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The signals that end a program which runs nodes."""

import signal
import threading


def stop_event() -> threading.Event:
    """Returns an event that is set by SIGINT, SIGTERM, and the end of the terminal (SIGHUP) unless `nohup` ignores it.

    The nodes are in sessions of their own and would go on without the program.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.set())
    return stop
