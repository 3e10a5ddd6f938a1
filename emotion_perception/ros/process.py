# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Exit codes, timeouts, start and end of a node process, for lifecycle nodes and one-shot nodes alike.

The main thread only waits for signals. Everything that can take long (loading a model, opening a disk, spinning) runs
in other threads, so SIGINT, SIGTERM and SIGHUP take effect at once, whatever the nodes are doing.
"""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

import rclpy
from rclpy.signals import SignalHandlerOptions

from emotion_perception.core.errors import ConfigurationError, one_line, report_unexpected
from emotion_perception.core.regular_files import MAX_TEXT_BYTES, read_regular
from emotion_perception.ros.shutdown_watchdog import SHUTDOWN_TIMEOUT_S, shutdown_watchdog
from emotion_perception.ros.signals import ignore_further_signals, stop_event
from emotion_perception.ros.transport.shared_memory_ports import DeadPorts

EXIT_OK, EXIT_FAULT, EXIT_USAGE, EXIT_CONFIGURATION = 0, 1, 2, 78

STOP_TIMEOUT_S = 1.0
"""How long deactivate waits for each thread of a node."""

GRACE_PERIOD_S = 1.3
"""How long a process waits for its nodes after a signal; together with rclpy's end this is less than two seconds."""

_POLL_S = 0.1


def run_process(
    work: Callable[[threading.Event], int],
    release: Callable[[], None],
    *,
    args: list[str] | None = None,
    grace_period_s: float = GRACE_PERIOD_S,
) -> int:
    """Initializes rclpy, runs `work` in a thread until it returns or a signal comes, and shuts rclpy down.

    If `work` has not returned `grace_period_s` after the signal, because a model is still being loaded or a driver
    hangs, it is abandoned. If any thread is still running at the end, the process exits here: the end of Python would
    unwind such a thread inside C++ code, which aborts the process. If the middleware does not return, SIGALRM ends the
    process, see `shutdown_watchdog`.

    Args:
        work: gets an event that those signals set; returns the exit code.
        release: called in the main thread after `work`, before rclpy is shut down; destroys the nodes.
        args: the command line; None takes that of the process.
        grace_period_s: how long `work` may go on after a signal, in seconds.

    Returns:
        The exit code: that of `work`; 0 if it was abandoned after a signal; 2 if the ROS arguments are malformed; 78 if
        a transport profile is no file, ROS security has no keys, or the folder of the log files cannot be created.
    """
    try:
        check_transport_profiles()
    except ConfigurationError as e:
        print(e, file=sys.stderr)
        return EXIT_CONFIGURATION
    stop = stop_event()
    dead_ports = DeadPorts()
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as e:  # the base class of rclpy's errors
        if os.environ.get("ROS_SECURITY_ENABLE", "").lower() == "true" and "parse" not in str(e).lower():
            keystore = os.environ.get("ROS_SECURITY_KEYSTORE", "")
            where = f"ROS_SECURITY_KEYSTORE={keystore}" if keystore else "ROS_SECURITY_KEYSTORE is not set"
            print(f"ROS_SECURITY_ENABLE=true, but there are no usable keys: {where} ({one_line(e)})", file=sys.stderr)
            return EXIT_CONFIGURATION
        if "initialize logging" in str(e):  # whose file every program opens
            reason = one_line(e).partition(", at ")[0]
            print(f"no log file: {reason}; ROS_LOG_DIR can name a folder to write to", file=sys.stderr)
            return EXIT_CONFIGURATION
        print(f"invalid ROS arguments: {one_line(e)}", file=sys.stderr)
        return EXIT_USAGE
    worker = _Worker(work, stop)
    worker.start()
    while worker.is_alive() and not stop.is_set():
        worker.join(_POLL_S)
        dead_ports.release()
    with shutdown_watchdog(grace_period_s + SHUTDOWN_TIMEOUT_S):
        worker.join(grace_period_s)
        worker.abandoned = worker.is_alive()
    with shutdown_watchdog():
        release()
        rclpy.shutdown()
        if threading.active_count() > 1:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(worker.code)
    ignore_further_signals()
    return worker.code


def check_transport_profiles() -> None:
    """Checks the profiles that the environment names for Fast DDS, which would wait for the writer of a FIFO.

    Raises:
        ConfigurationError: one is no regular file, cannot be opened, or is no XML.
    """
    for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
        if path := os.environ.get(name):
            try:
                expat.ParserCreate().Parse(read_regular(Path(path), MAX_TEXT_BYTES), True)
            except OSError as e:
                raise ConfigurationError(f"transport profile {path}: {e.strerror}") from e
            except expat.ExpatError as e:  # Fast DDS would take its defaults, whose sockets are open to other machines
                raise ConfigurationError(f"transport profile {path}: not XML ({e})") from e


class _Worker(threading.Thread):
    """Runs `work` and keeps its exit code.

    Attributes:
        code: the return value of `work`; 1 if it raised.
        abandoned: True once `run_process` no longer waits for it; an exception is then a consequence of the shutdown
            and is not printed.
    """

    def __init__(self, work: Callable[[threading.Event], int], stop: threading.Event) -> None:
        super().__init__(name="nodes", daemon=True)
        self._work, self._stop_event = work, stop
        self.code = EXIT_OK
        self.abandoned = False

    def run(self) -> None:
        """Runs `work`."""
        try:
            self.code = self._work(self._stop_event)
        except Exception as e:  # noqa: BLE001 - the last line of defense: one line instead of a traceback
            if not self.abandoned:
                self.code = EXIT_FAULT  # first: what follows fails where nothing can be written
                report_unexpected(Path(sys.argv[0]).name, e)
