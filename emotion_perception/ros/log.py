"""Carries what `core` logs with Python's logging to the node's ROS log."""

import logging

from rclpy.node import Node


class RosLogHandler(logging.Handler):
    """Hands log records to a node's logger, level by level."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._logger = node.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record."""
        # three lines, because rclpy allows one severity for each line of code that logs
        if record.levelno >= logging.ERROR:
            self._logger.error(record.getMessage())
        elif record.levelno >= logging.WARNING:
            self._logger.warning(record.getMessage())
        else:
            self._logger.info(record.getMessage())


def forward_core_log(node: Node) -> None:
    """Sends everything that this package logs from now on, from INFO up, to the node's logger and nowhere else."""
    logger = logging.getLogger("emotion_perception")
    logger.handlers = [RosLogHandler(node)]
    logger.setLevel(logging.INFO)
    logger.propagate = False
