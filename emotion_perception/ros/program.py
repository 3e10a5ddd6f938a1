# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Start of the node programs in `scripts/`, before anything large is imported."""

import importlib
import os
import signal
import sys
from typing import NoReturn

from emotion_perception.core.errors import refused_path, report_unexpected
from emotion_perception.core.missing_packages import import_problem
from emotion_perception.core.printable import encodable, printable

_EXIT_FAULT, _EXIT_USAGE, _EXIT_CONFIGURATION = 1, 2, 78  # as in `process`, which imports rclpy


def run_program(name: str, module: str, extra: str = "") -> NoReturn:
    """Runs `main` of a module of `ros.nodes` and exits with its code.

    A package that is missing or does not load is one line on stderr and exit code 78: a restart would not help.

    Args:
        name: of the program.
        module: name of the module in `ros.nodes`.
        extra: the extra of this package that the program needs, see `import_problem`.
    """
    if wrong := next((text for text in sys.argv if encodable(text) != text), ""):
        print(f"{name}: {printable(wrong)}: not UTF-8, as ROS needs each argument to be", file=sys.stderr)
        sys.exit(_EXIT_USAGE)
    for stream in range(3):
        try:
            os.fstat(stream)
        except OSError:  # closed: the next socket would get its number, and what is logged
            os.open(os.devnull, os.O_RDWR)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while the imports run ends the process without a traceback
    try:
        main = importlib.import_module(f"emotion_perception.ros.nodes.{module}").main
    except ImportError as e:
        print(import_problem(name, e, extra), file=sys.stderr)
        sys.exit(_EXIT_CONFIGURATION)
    try:
        code = main()
    except Exception as e:  # noqa: BLE001 - the last line of defense: one line instead of a traceback
        code = _EXIT_FAULT
        if (line := refused_path(e)) is not None:
            code = _EXIT_CONFIGURATION
            print(f"{name}: {line}", file=sys.stderr)
        else:
            report_unexpected(name, e)
    sys.exit(code)
