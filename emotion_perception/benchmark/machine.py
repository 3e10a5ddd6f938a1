# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Description of the machine and the software that a benchmark ran on."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from emotion_perception.reporting.provenance import command_line, now, package_version, processor_name

_PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "torch", "openvino", "rclpy")


def describe_machine() -> dict[str, Any]:
    """Returns processor, versions, commit, command line, date and load average."""
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "ros": os.environ.get("ROS_DISTRO") or os.environ.get("EMOTION_PERCEPTION_DISTRO", "none"),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "package_version": package_version(),
        "commit": _commit(),
        "command": command_line(),
        "date": now(),
        "load_at_begin": round(os.getloadavg()[0], 2),
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Returns the commit of the source tree of this file, with a + if it has uncommitted changes, or None."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        dirty = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.stdout.strip() + ("+" if dirty.stdout.strip() else "")
