# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a result comes from: the package's version, the command, the time, the memory."""

import contextlib
import importlib.metadata
import platform
import shlex
import sys
from datetime import datetime, timezone
from pathlib import Path

_MIB = 2**20


def package_version() -> str:
    """Returns this package's version, or `unknown` where it runs from a source tree without installation."""
    try:
        return importlib.metadata.version("emotion_perception")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def command_line() -> str:
    """Returns the command that runs now, as one may type it; the program without its folder."""
    program = Path(sys.argv[0]).name
    return shlex.join(["emotion-perception" if program == "cli.py" else program, *sys.argv[1:]])


def now() -> str:
    """Returns the time in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def processor_name() -> str:
    """Returns the processor's name, as Linux tells it."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line for line in lines if line.startswith("model name")).partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_memory_mib() -> float | None:
    """Returns the most memory that this process has held, None where the system does not tell.

    Linux is asked in /proc: what `getrusage` says there may be the parent's, from before this program was started.
    """
    if sys.platform == "win32":
        return None
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        peak_kib = next(line for line in lines if line.startswith("VmHWM:")).split()[1]
        return round(int(peak_kib) * 1024 / _MIB, 1)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MIB, 1)
