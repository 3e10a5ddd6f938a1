# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The signals that end a program."""

import signal
import threading

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stop_event() -> threading.Event:
    """Returns an event that is set by SIGINT, SIGTERM, and the end of the terminal (SIGHUP) unless `nohup` ignores it.

    To be used in the main thread, which must not wait for the event or set it: a signal that comes while it holds the
    event's lock would wait for that lock for ever.
    """
    stop = threading.Event()
    seen: list[int] = []

    def on_signal(number: int, _frame: object) -> None:
        if not seen:  # a second signal may interrupt this function, while `set` holds the event's lock
            seen.append(number)
            stop.set()

    for number in _SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, on_signal)
    return stop


def ignore_further_signals() -> None:
    """Lets no signal change the exit code of a program that has ended; Python's own end would restore the defaults."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
