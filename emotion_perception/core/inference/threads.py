# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""How many threads a stage uses: follows the processor cores that this process may really use.

`os.cpu_count()` is the number of cores of the machine. In a container with a quota, or under `taskset`, a process has
fewer, and more threads than cores slow each other down.
"""

import math
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")
_MAX_AUTOMATIC = 4  # small networks on small images become no faster with more


def thread_count(requested: int) -> int:
    """Returns the number of threads of one stage.

    Args:
        requested: the option `num_threads`; 0 takes half of the usable cores, from 1 to 4, because detection and
            classification run at the same time.
    """
    return requested or min(_MAX_AUTOMATIC, max(1, usable_cores() // 2))


def parallel_runs(requested: int) -> int:
    """Returns how many runs of a network may go on beside each other for one large batch.

    A frame with many faces waits for their classification, and the detector has nothing to do meanwhile: the other
    half of the cores is free.

    Args:
        requested: the option `num_threads`; where it names a number, there is one run, so that no more threads work
            than were asked for.
    """
    return 1 if requested else min(_MAX_AUTOMATIC, max(1, usable_cores() // thread_count(requested)))


def usable_cores() -> int:
    """Returns how many cores this process may use, at least 1: the smaller of its CPU affinity and its cgroup quota.

    A quota of 1.5 cores counts as 2.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _cgroup_quota())))


def _cgroup_quota() -> float:
    """Returns the smallest CPU quota of the process's cgroups (version 2 or 1), in cores; infinity if there is none."""
    quotas = [math.inf]
    for folder in _cgroup_folders():
        quotas += [_quota_v2(folder / "cpu.max"), _quota_v1(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")]
    return min(quotas)


def _cgroup_folders() -> set[Path]:
    """Returns the folders of the process's cgroups and of those that contain them, the roots included."""
    try:
        lines = _OWN_CGROUP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    folders = set()
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        root = _CGROUPS / controllers if controllers else _CGROUPS  # version 2 has no controllers in its line
        folder = root / path.lstrip("/")
        folders |= {parent for parent in (folder, *folder.parents) if parent.is_relative_to(root)}
    return folders


def _quota_v2(file: Path) -> float:
    try:
        quota, period = file.read_text(encoding="ascii").split()
        return int(quota) / int(period) if quota != "max" else math.inf
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf


def _quota_v1(quota_file: Path, period_file: Path) -> float:
    try:
        quota, period = int(quota_file.read_text(encoding="ascii")), int(period_file.read_text(encoding="ascii"))
        return quota / period if quota > 0 else math.inf  # -1: no quota
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf
