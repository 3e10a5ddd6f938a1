# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Provenance of a result: package version, command line, date, processor and peak memory."""

import contextlib
import importlib.metadata
import platform
import shlex
import sys
from datetime import datetime, timezone
from pathlib import Path

from emotion_perception.core.printable import encodable

_MIB = 2**20


def package_version() -> str:
    """Returns the version of this package, or `unknown` where it is not installed."""
    try:
        return importlib.metadata.version("emotion_perception")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def command_line() -> str:
    """Returns the command line of this process, quoted for a shell, with the program's name instead of its path."""
    program = Path(sys.argv[0]).name
    return encodable(shlex.join(["emotion-perception" if program == "cli.py" else program, *sys.argv[1:]]))


def now() -> str:
    """Returns the current UTC time in ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def processor_name() -> str:
    """Returns the model name of the processor from /proc/cpuinfo, or Python's name of it."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line for line in lines if line.startswith("model name")).partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_memory_mib() -> float | None:
    """Returns the peak resident memory of this process in MiB, or None on Windows.

    On Linux it is read from /proc: `getrusage` includes the memory of the parent process before `exec`.
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
