# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which node processes are restarted after their end, and how often; for the launch files and the supervisor."""

import signal
from collections import deque

from emotion_perception.ros.process import EXIT_CONFIGURATION, EXIT_OK, EXIT_USAGE

MAX_RESTARTS, RESTARTS_PERIOD_S = 10, 300.0

_ENDED_BY_REQUEST = (EXIT_OK, -signal.SIGINT, -signal.SIGTERM, -signal.SIGALRM)  # SIGALRM: see `shutdown_watchdog`
_HOPELESS = (EXIT_USAGE, EXIT_CONFIGURATION)


class RestartPolicy:
    """Decides whether one node is restarted: not after its proper end or a wrong configuration, and not for ever.

    At most `MAX_RESTARTS` restarts are allowed in any `RESTARTS_PERIOD_S` seconds.
    """

    def __init__(self) -> None:
        self._restarts_s: deque[float] = deque(maxlen=MAX_RESTARTS)

    def refusal(self, name: str, code: int, now_s: float) -> str:
        """Returns why the node is not restarted, in one line; an empty string allows a restart and counts it.

        Args:
            name: of the node, for the line.
            code: exit code of the process, negative for a signal.
            now_s: steady time of its end in seconds.
        """
        ended = f"{name} ended with exit code {code}"
        if code in _ENDED_BY_REQUEST:
            return f"{ended} and is not restarted"
        if code in _HOPELESS:
            return f"{ended}: its configuration cannot work, it is not restarted"
        restarts_s = self._restarts_s
        if len(restarts_s) == MAX_RESTARTS and now_s - restarts_s[0] < RESTARTS_PERIOD_S:
            return f"{ended} after {MAX_RESTARTS} restarts in {now_s - restarts_s[0]:.0f} s, it is not restarted again"
        restarts_s.append(now_s)
        return ""
