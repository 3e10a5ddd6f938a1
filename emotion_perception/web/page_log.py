# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The log of the libraries of the page, part of which is what a browser sends."""

import logging

from emotion_perception.core.errors import clipped
from emotion_perception.core.printable import printable
from emotion_perception.web.access import RateLimiter

# They log a traceback for a client that leaves, and for each message that is no JSON or not of the page.
_NOISY = ("uvicorn", "asyncio", "engineio.server", "socketio.server")
_logger = logging.getLogger(__name__)


class PageLogHandler(logging.Handler):
    """Passes warnings and errors on as one line without control characters: five at once, one more every 2 s."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines = RateLimiter(0.5, 5)

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record."""
        if self._lines.take(""):
            text = record.getMessage()
            if record.exc_info and record.exc_info[0] is not None:
                text = f"{record.exc_info[0].__name__}: {text}"
            _logger.warning("the page reports: %s", clipped(printable(text)))


def limit_page_log() -> None:
    """Silences uvicorn and Socket.IO, and limits the log of NiceGUI, into which each page can write."""
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logger = logging.getLogger("nicegui")
    logger.handlers = [PageLogHandler()]
    logger.propagate = False
