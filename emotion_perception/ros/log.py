# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Forwards the Python logging of `core` to the ROS log."""

import logging

from rclpy.impl.rcutils_logger import RcutilsLogger


class RosLogHandler(logging.Handler):
    """Passes log records to a ROS logger with their severity."""

    def __init__(self, ros_logger: RcutilsLogger) -> None:
        super().__init__()
        self._logger = ros_logger

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record."""
        # three lines, because rclpy allows one severity for each line of code that logs
        if record.levelno >= logging.ERROR:
            self._logger.error(record.getMessage())
        elif record.levelno >= logging.WARNING:
            self._logger.warning(record.getMessage())
        else:
            self._logger.info(record.getMessage())


def forward_core_log(ros_logger: RcutilsLogger) -> None:
    """Sends the log records of this package, from INFO up, to a ROS logger and nowhere else."""
    logger = logging.getLogger("emotion_perception")
    logger.handlers = [RosLogHandler(ros_logger)]
    logger.setLevel(logging.INFO)
    logger.propagate = False
