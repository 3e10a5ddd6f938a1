# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Forwards the Python logging of `core` to the ROS log."""

import logging

from rclpy.impl.rcutils_logger import RcutilsLogger

from emotion_perception.core.printable import printable


class RosLogHandler(logging.Handler):
    """Passes log records to a ROS logger with their severity."""

    def __init__(self, ros_logger: RcutilsLogger) -> None:
        super().__init__()
        self._logger = ros_logger

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record."""
        text = printable(record.getMessage())  # rclpy raises TypeError for bytes of a file name that are not UTF-8
        # three lines, because rclpy allows one severity for each line of code that logs
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)


def forward_core_log(ros_logger: RcutilsLogger) -> None:
    """Sends the log records of this package, from INFO up, to a ROS logger and nowhere else."""
    logger = logging.getLogger("emotion_perception")
    logger.handlers = [RosLogHandler(ros_logger)]
    logger.setLevel(logging.INFO)
    logger.propagate = False
